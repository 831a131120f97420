import type { Database } from "../../db/connect.ts";
import { contactsOf } from "../../db/queries/people/contacts.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import type { Person } from "../../domain/person.ts";
import type { Logger } from "../../logger.ts";

/**
 * Returns a function that pushes a changed name to the user's own devices and to users who share a chat with the user.
 * Best-effort: the name is read with every message and list, so a lost push is repaired by the next one.
 */
export const profileChanges =
  ({ database, delivery, log }: { database: Database; delivery: Delivery; log: Logger }) =>
  async ({ id: userId, firstName, lastName }: Person): Promise<void> => {
    const contacts = await contactsOf(database, userId).catch((error) => {
      log.warn({ err: error }, "a changed name is pushed to the user's own devices only");
      return [];
    });
    const item = { userId, firstName, lastName };
    delivery.publishSignal({ kind: "profile", item, recipientIds: [userId, ...contacts] });
  };
