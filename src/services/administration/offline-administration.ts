import { InProcessBus } from "../../bus/in-process-bus.ts";
import type { Database } from "../../db/connect.ts";
import { changeStore } from "../../db/queries/chats/change-store.ts";
import { chatVersions } from "../../db/queries/chats/dialogs.ts";
import { Delivery } from "../../delivery/delivery.ts";
import type { Logger } from "../../logger.ts";
import { ChatWriter } from "../../writes/chat-transaction.ts";
import { Committer, type ReadStartVersions } from "../../writes/commit.ts";
import { AccountDeletion } from "../accounts/account-deletion.ts";
import { type PasswordOptions, Passwords } from "../accounts/passwords.ts";
import type { MakePageLink } from "../page-links.ts";
import { type Administration, composeAdministration } from "./compose-administration.ts";

/**
 * Builds the services of administrators in a process without clients. Running servers find its changes of chats, and the
 * sessions that it ends, by polling the database.
 * @returns also a function that ends what they do in the background
 */
export function offlineAdministration(options: {
  database: Database;
  passwords: PasswordOptions;
  makeLink: MakePageLink;
  log: Logger;
}): { administration: Administration; stop: () => void } {
  const { database, makeLink, log } = options;
  const delivery = new Delivery({
    store: changeStore(database),
    bus: new InProcessBus(log),
    epoch: { current: undefined },
    deliver: () => {},
    deliverSignal: () => {},
    log,
  });
  const readStartVersions: ReadStartVersions = (chatIds, transaction) => chatVersions(database, chatIds, transaction);
  const chatWriter = new ChatWriter({ database, committer: new Committer({ delivery, readStartVersions }) });
  const administration = composeAdministration({
    database,
    chatWriter,
    passwords: new Passwords(options.passwords),
    deletion: new AccountDeletion({ database, chatWriter }),
    makeLink,
    publishEnded: () => {},
    onNameChange: () => {},
  });
  return { administration, stop: () => delivery.stop() };
}
