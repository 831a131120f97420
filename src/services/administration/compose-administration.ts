import type { Database } from "../../db/connect.ts";
import type { SessionsEnded } from "../../domain/session.ts";
import type { ChatWriter } from "../../writes/chat-transaction.ts";
import type { AccountDeletion } from "../accounts/account-deletion.ts";
import type { Passwords } from "../accounts/passwords.ts";
import type { MakePageLink } from "../page-links.ts";
import { AuditLog } from "./audit-log.ts";
import { GroupAdministration } from "./group-administration.ts";
import { SetupLink } from "./setup-link.ts";
import { UserAdministration } from "./user-administration.ts";

export type Administration = ReturnType<typeof composeAdministration>;

/** Builds the services of administrators, which the server and the command line have in common. */
export function composeAdministration(options: {
  database: Database;
  chatWriter: ChatWriter;
  passwords: Passwords;
  deletion: AccountDeletion;
  makeLink: MakePageLink;
  publishEnded: (ended: SessionsEnded) => void;
  onNameChange: (userId: number) => void;
}) {
  const { database, chatWriter, makeLink } = options;
  return {
    users: new UserAdministration(options),
    groups: new GroupAdministration({ database, chatWriter }),
    audit: new AuditLog({ database }),
    setupLink: new SetupLink({ database, makeLink }),
  };
}
