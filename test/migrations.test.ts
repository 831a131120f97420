import { createRequire } from "node:module";
import { describe, expect, test } from "@jest/globals";
import type { QueryInterface } from "sequelize";
import { useMessenger } from "./support/messenger.ts";
import { annAndBobInDialog, sendPrivately } from "./support/scenes.ts";

/* Migrations of stored data, run again on rows as earlier versions stored them. */

const messenger = useMessenger();
const require = createRequire(import.meta.url);

const runAgain = (name: string): Promise<unknown> => {
  const migration: { up(queryInterface: QueryInterface): Promise<unknown> } = require(`../migrations/${name}.cjs`);
  return migration.up(messenger().db.getQueryInterface());
};

describe("the search keys of names and e-mail addresses", () => {
  const store = async (email: string, emailKey: string, firstName: string): Promise<number> => {
    const { id } = await messenger().person();
    await messenger().sql(
      `UPDATE users SET email = $email, email_key = $emailKey, first_name = $firstName, first_name_key = lower($firstName)
        WHERE id = $id RETURNING id`,
      { id, email, emailKey, firstName },
    );
    return id;
  };
  const keysOf = async (id: number) => {
    const [row] = await messenger().sql<{ email: string; name: string }>(
      "SELECT email_key AS email, first_name_key AS name FROM users WHERE id = $id",
      { id },
    );
    return row;
  };

  test("are computed again; of accounts whose addresses are equal now, one keeps its old key and is reported", async () => {
    const older = await store("ΓΙΩΡΓΟΣ@keys.test", "γιωργος@keys.test", "Strauß");
    const holder = await store("γιωργοσ@keys.test", "γιωργοσ@keys.test", "Αναστασία");
    const other = await store("STRAUß@keys.test", "strauß@keys.test", "Bob");
    const notes = await runAgain("20261129100200-rebuild-search-keys");
    expect(notes).toEqual([expect.stringMatching(new RegExp(`user ids ${older}$`))]);
    expect(JSON.stringify(notes)).not.toContain("keys.test");
    expect(await keysOf(older)).toEqual({ email: "γιωργος@keys.test", name: "strauss" });
    expect(await keysOf(holder)).toEqual({ email: "γιωργοσ@keys.test", name: "αναστασια" });
    expect(await keysOf(other)).toEqual({ email: "strauss@keys.test", name: "bob" });
  });
});

describe("the last change of a message", () => {
  const changeOf = async (messageId: number) => {
    const [row] = await messenger().sql<{ change: unknown; isRecent: boolean }>(
      `SELECT change, changed_at > clock_timestamp() - interval '1 minute' AS "isRecent"
         FROM messages WHERE id = $messageId`,
      { messageId },
    );
    return row;
  };
  /** Changes a message as the previous version did. */
  const reviseAsBefore = (messageId: number, column: "edited_at" | "deleted_at") =>
    messenger().sql(
      `WITH chat AS (UPDATE chats SET version = version + 1
                      WHERE id = (SELECT chat_id FROM messages WHERE id = $messageId) RETURNING version)
       UPDATE messages SET version = chat.version, content = 'x', ${column} = clock_timestamp()
         FROM chat WHERE messages.id = $messageId RETURNING messages.id`,
      { messageId },
    );

  test("is recorded for processes of the previous version", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "one");
    expect(await changeOf(messageId)).toEqual({ change: null, isRecent: null });
    await reviseAsBefore(messageId, "edited_at");
    expect(await changeOf(messageId)).toEqual({ change: { kind: "edit", by: ann.id }, isRecent: true });
    await ann.device.request("editMessage", { messageId, content: "two" });
    await reviseAsBefore(messageId, "deleted_at");
    expect(await changeOf(messageId)).toEqual({ change: { kind: "delete", by: null }, isRecent: true });
  });

  test("is recorded for changes of earlier versions", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "one");
    await ann.device.request("editMessage", { messageId, content: "two" });
    await messenger().sql("UPDATE messages SET change = NULL, changed_at = NULL WHERE id = $messageId RETURNING id", {
      messageId,
    });
    await runAgain("20261129100300-record-changes");
    expect(await changeOf(messageId)).toEqual({ change: { kind: "edit", by: ann.id }, isRecent: true });
  });
});
