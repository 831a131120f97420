import {
  adminCursor,
  auditRecord,
  auditWord,
  nextAdminCursor,
  printed,
  statistics,
} from "../../contract/administration.ts";
import { id, limit, userId } from "../../contract/fields.ts";
import { closedObject, described, list, object, optional } from "../../contract/schema.ts";
import { statisticsDays } from "../../domain/administration.ts";
import { defineRoute } from "../route.ts";
import { defaultLimit, tag } from "./admin.ts";

export const readStatistics = defineRoute({
  method: "get",
  url: "/admin/stats",
  summary: "Get how much the server is used.",
  tag,
  requiresAdmin: true,
  status: 200,
  answer: statistics,
  errors: [],
  example: {
    answer: {
      users: 120,
      active: { day: 80, week: 101, month: 112 },
      sockets: 64,
      chats: 310,
      messages: 48_211,
      messagesPerDay: Array.from({ length: statisticsDays }, (_, day) => 200 + day),
      databaseBytes: 52_428_800,
      fileBytes: 1_310_720,
    },
  },
  handle: ({ services }) => services.statistics.read(),
});

export const listAuditLog = defineRoute({
  method: "get",
  url: "/admin/audit",
  summary: "List what administrators have done, over HTTP and on the command line, the latest first, in pages.",
  tag,
  requiresAdmin: true,
  query: closedObject({
    actorId: optional(described(userId(), "Only what this administrator has done.")),
    action: optional(described(auditWord(), "Only this action.")),
    targetType: optional(described(auditWord(), "Only what was done to objects of this kind.")),
    targetId: optional(described(id(), "Only what was done to the object with this id.")),
    limit: optional(limit()),
    cursor: optional(adminCursor()),
  }),
  status: 200,
  answer: object({ data: list(auditRecord), nextCursor: nextAdminCursor() }),
  errors: [],
  example: {
    query: { action: "user.suspend", limit: 20 },
    answer: {
      data: [
        {
          id: 17,
          at: "2023-07-28T15:02:11.120Z",
          actorId: 1,
          source: "http",
          action: "user.suspend",
          targetType: "user",
          targetId: 2,
          details: {},
          address: "192.0.2.7",
        },
      ],
      nextCursor: null,
    },
  },
  async handle({ query: { limit = defaultLimit, ...filter }, services }) {
    const { data, nextCursor } = await services.administration.audit.list({ ...filter, limit });
    return { data: data.map(printed), nextCursor };
  },
});

export const adminServerRoutes = [readStatistics, listAuditLog];
