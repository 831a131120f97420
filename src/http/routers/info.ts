import { described, flag, integer, list, named, object, oneOf, text } from "../../contract/schema.ts";
import { inviterGroups, registrationPolicies } from "../../domain/registration.ts";
import { defineRoute } from "../route.ts";

const positive = (description: string) => described(integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), description);

const serverLimits = named(
  "ServerLimits",
  object({
    contentUnits: positive("Length of a message, in UTF-16 units."),
    frameBytes: positive("Size of a WebSocket frame of a client, in bytes."),
    requestsInFlight: positive("Unanswered requests of one socket; the server does not read further ones."),
    groupMembers: positive("Members of a group."),
    socketsPerUser: positive("WebSockets of one user; one more closes the oldest."),
    fileBytes: positive("Size of a file, in bytes."),
    filesPerMessage: positive("Files of a message."),
  }),
  "The limits of this server.",
);

const registrationPolicy = named(
  "RegistrationPolicy",
  oneOf(...registrationPolicies),
  "Who can register: everybody, people with an invite, or nobody. A valid invite works in each case. More values will be added.",
);

const inviterGroup = named(
  "InviterGroup",
  oneOf(...inviterGroups),
  "Who can invite people: administrators, or all users. More values will be added.",
);

const serverInfo = named(
  "ServerInfo",
  object({
    name: described(text({ max: 64 }), "The name of the server, for people."),
    version: text({ max: 64 }),
    epoch: described(
      text({ max: 64 }),
      "Identifies the history of the data; another one means that the data was restored.",
    ),
    registration: registrationPolicy,
    invitesBy: inviterGroup,
    email: described(flag(), "Whether the server sends e-mail."),
    features: described(list(text({ max: 64 })), "The optional parts that this server has."),
    limits: serverLimits,
  }),
  "What the server says about itself.",
);

export const readInfo = defineRoute({
  method: "get",
  url: "/api/info",
  summary: "Get the name, version, features and limits of the server.",
  tag: "Server",
  public: true,
  limit: "reconnectsPerAddress",
  status: 200,
  answer: serverInfo,
  errors: [],
  example: {
    answer: {
      name: "Messenger",
      version: "0.1.0",
      epoch: "e8649a304886f28471420fe4c7a0d0e1",
      registration: "open",
      invitesBy: "admins",
      email: true,
      features: ["reactions", "mentions", "pins", "forward", "state", "search", "files", "avatars"],
      limits: {
        contentUnits: 4096,
        frameBytes: 32_768,
        requestsInFlight: 32,
        groupMembers: 1000,
        socketsPerUser: 10,
        fileBytes: 52_428_800,
        filesPerMessage: 10,
      },
    },
  },
  handle: async ({ services }) => services.describeServer(),
});

export const infoRoutes = [readInfo];
