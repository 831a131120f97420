import { role as anyRole } from "../../contract/people.ts";
import { check, closedObject, oneOf, optional } from "../../contract/schema.ts";
import { accountStatuses, type ManagedUser } from "../../domain/administration.ts";
import { defineCommand, textTable } from "../command.ts";

const pageSize = 100;

const filters = closedObject({ role: optional(anyRole), status: optional(oneOf(...accountStatuses)) });

export const listUsers = defineCommand({
  name: "users list",
  summary: "Lists the accounts, the oldest first.",
  options: [
    { flags: "--search <text>", description: "only those whose e-mail address or name contains this" },
    { flags: "--role <role>", description: "only those with this role: user or admin" },
    { flags: "--status <status>", description: "only those with this status: active or suspended" },
  ],
  needs: "database",
  async run({ administration }, { search, role, status }) {
    const given = { ...(role !== undefined && { role }), ...(status !== undefined && { status }) };
    const filter = check(filters, given, { label: "options" });
    const users: ManagedUser[] = [];
    for (let cursor: string | undefined; ; ) {
      const text = typeof search === "string" ? search : undefined;
      const page = await administration.users.list({ ...filter, search: text, limit: pageSize, cursor });
      users.push(...page.data);
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    const text = textTable(
      ["id", "e-mail", "name", "role", "status", "created", "last seen", "sessions", "messages"],
      users.map((user) => [
        ...[user.id, user.email, [user.firstName, user.lastName].filter(Boolean).join(" ")],
        ...[user.role, user.suspendedAt ? "suspended" : "active", user.createdAt.toISOString().slice(0, 10)],
        user.lastSeenAt?.toISOString().slice(0, 16).replace("T", " ") ?? "never",
        ...[user.sessions, user.messages],
      ]),
    );
    return { text, data: { data: users } };
  },
});
