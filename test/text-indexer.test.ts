import { describe, expect, test } from "@jest/globals";
import type { Transaction } from "sequelize";
import type { Database } from "../src/db/connect.ts";
import { findViolations } from "../src/db/queries/fsck/fsck.ts";
import { clearTexts } from "../src/db/queries/search/text-index.ts";
import { searchForm } from "../src/services/search/search-text.ts";
import { TextIndexer } from "../src/services/search/text-indexer.ts";
import { onServer } from "./support/databases.ts";
import { useMessenger } from "./support/messenger.ts";
import { createGroup, numbers, participants, sendToGroup } from "./support/scenes.ts";

/* The job that makes messages searchable: what it stores, also when it is killed and when several processes share it. */

const messenger = useMessenger();

/** A group with messages, of which some were edited and deleted. */
async function groupWithHistory() {
  const [ann] = await participants(messenger(), 1);
  const groupId = await createGroup(ann.device);
  for (const n of numbers(1, 20)) {
    const { messageId } = await sendToGroup(ann.device, groupId, `Message ${n}`);
    if (n % 3 === 0) await ann.device.request("editMessage", { messageId, content: `Edited ${n}` });
    if (n % 5 === 0) await ann.device.request("deleteMessage", { messageId });
  }
  return { ann, groupId };
}

const sorted = (texts: readonly string[]) => [...texts].sort();

/** The texts that can be found in a chat, and those that should be. */
async function compare(chatId: number): Promise<{ indexed: string[]; expected: string[] }> {
  const rows = await messenger().sql<{ text: string }>("SELECT text FROM message_texts WHERE chat_id = $chatId", {
    chatId,
  });
  const messages = await messenger().sql<{ content: string }>(
    "SELECT content FROM messages WHERE chat_id = $chatId AND event IS NULL AND deleted_at IS NULL",
    { chatId },
  );
  return {
    indexed: sorted(rows.map(({ text }) => text)),
    expected: sorted(messages.map(({ content }) => searchForm(content))),
  };
}

const isIndexed = async (chatId: number): Promise<boolean> => {
  const [row] = await messenger().sql<{ done: boolean }>(
    `SELECT c.version = COALESCE(t.version, 0) AS done
       FROM chats AS c LEFT JOIN chat_texts AS t ON t.chat_id = c.id WHERE c.id = $chatId`,
    { chatId },
  );
  return row?.done ?? false;
};

/** Runs indexers until a chat is indexed; the one of the running server takes part. */
async function untilIndexed(chatId: number, ...indexers: TextIndexer[]): Promise<void> {
  while (!(await isIndexed(chatId))) {
    for (const indexer of indexers) indexer.note(chatId);
    await Promise.all(indexers.map((indexer) => indexer.indexSome()));
  }
}

describe("the indexer", () => {
  test("stores the texts of what can be read, and nothing else", async () => {
    const { groupId } = await groupWithHistory();
    await untilIndexed(groupId, new TextIndexer({ database: messenger().db }));
    const { indexed, expected } = await compare(groupId);
    expect(indexed).toEqual(expected);
    expect(indexed).toHaveLength(16);
    expect((await findViolations(messenger().db, groupId)).violations).toEqual([]);
  });

  test("goes through chats with more messages than one transaction takes", async () => {
    const [ann] = await participants(messenger(), 1);
    const groupId = await createGroup(ann.device);
    await messenger().sql(
      `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
       SELECT $groupId::bigint, n, n, $userId::bigint, 'many ' || n, clock_timestamp() FROM generate_series(2, 2001) AS n`,
      { groupId, userId: ann.id },
    );
    await messenger().sql(
      `UPDATE chats SET version = 2001, last_seq = 2001,
              last_message_id = (SELECT id FROM messages WHERE chat_id = $groupId AND seq = 2001) WHERE id = $groupId`,
      { groupId },
    );
    const indexer = new TextIndexer({ database: messenger().db });
    indexer.note(groupId);
    let stepsWithMore = 0;
    while (!(await isIndexed(groupId))) if (await indexer.indexSome()) stepsWithMore++;
    // Otherwise the job would pause after each transaction.
    expect(stepsWithMore).toBeGreaterThan(0);
    const { indexed, expected } = await compare(groupId);
    expect(indexed).toHaveLength(2000);
    expect(indexed).toEqual(expected);
  });

  test("finds changes that were not noted, and everything anew after the index was emptied", async () => {
    const { groupId } = await groupWithHistory();
    await untilIndexed(groupId);
    await messenger().sql("UPDATE message_texts SET text = 'stale' WHERE chat_id = $groupId", { groupId });
    await clearTexts(messenger().db);
    await untilIndexed(groupId);
    const { indexed, expected } = await compare(groupId);
    expect(indexed).toEqual(expected);
  });

  test("that is killed at any moment loses and repeats nothing", async () => {
    const { groupId } = await groupWithHistory();
    for (let statements = 0; ; statements++) {
      await clearTexts(messenger().db);
      const indexer = new TextIndexer({ database: dyingAfter(messenger().db, statements) });
      indexer.note(groupId);
      const hasFailed = await indexer.indexSome().then(
        () => false,
        () => true,
      );
      await untilIndexed(groupId, new TextIndexer({ database: messenger().db }));
      const { indexed, expected } = await compare(groupId);
      expect(indexed).toEqual(expected);
      if (!hasFailed) break;
      // What has failed is still to be done, and counts as lag.
      if (statements > 0) expect(indexer.lagSeconds).toBeGreaterThan(0);
    }
  });

  test("shares the work with that of another process", async () => {
    const histories = await Promise.all(numbers(1, 3).map(() => groupWithHistory()));
    await clearTexts(messenger().db);
    const [first, second] = [0, 1].map(() => new TextIndexer({ database: messenger().db }));
    if (!first || !second) throw new Error("there are two");
    for (const { groupId } of histories) {
      await untilIndexed(groupId, first, second);
      const { indexed, expected } = await compare(groupId);
      expect(indexed).toEqual(expected);
    }
  });

  (onServer ? test : test.skip)("does not wait for chats that another process is indexing", async () => {
    const { groupId } = await groupWithHistory();
    const { groupId: freeId } = await groupWithHistory();
    await untilIndexed(groupId);
    await untilIndexed(freeId);
    const { db } = messenger();
    await db.transaction(async (transaction) => {
      await db.query(`SELECT FROM chat_texts WHERE chat_id = ${groupId} FOR UPDATE`, { transaction });
      const indexer = new TextIndexer({ database: db });
      for (const id of [groupId, freeId]) indexer.note(id);
      await indexer.indexSome();
      expect(indexer.lagSeconds).toBeGreaterThan(0);
    });
  });
});

/** A database whose connection fails in the transaction, after this many statements of it. */
function dyingAfter(database: Database, statements: number): Database {
  let left = statements;
  return Object.create(database, {
    query: {
      value: (...given: Parameters<Database["query"]>) => {
        const [, options] = given;
        if ((options as { transaction?: Transaction } | undefined)?.transaction && left-- <= 0) {
          return Promise.reject(new Error("killed"));
        }
        return database.query(...given);
      },
    },
  });
}
