import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import pg from "pg";
import { type QueryOptions, QueryTypes } from "sequelize";
import type { Database } from "../src/db/connect.ts";
import { auditRecords } from "../src/db/queries/administration/audit.ts";
import { groupNames } from "../src/db/queries/administration/managed-groups.ts";
import { managedUsers } from "../src/db/queries/administration/managed-users.ts";
import { messagesToErase } from "../src/db/queries/administration/message-erasures.ts";
import { chatList } from "../src/db/queries/chats/chat-list.ts";
import { currentMark, recentChanges, versionsBefore } from "../src/db/queries/chats/recent-changes.ts";
import { differences, type KnownChat } from "../src/db/queries/chats/sync.ts";
import { mentioningMessages } from "../src/db/queries/messages/mentions.ts";
import { messagesBySeq } from "../src/db/queries/messages/messages.ts";
import { contactsOf } from "../src/db/queries/people/contacts.ts";
import { type NameSearch, type Position, peopleByName } from "../src/db/queries/people/people.ts";
import { searchAll, searchNewest, type TextSearch } from "../src/db/queries/search/search-messages.ts";
import { selectOn } from "../src/db/select.ts";
import { useMessenger } from "./support/messenger.ts";

/*
 * The most frequent queries use an index, on tables large enough for that to matter. One file despite its length, because
 * all of it needs the same large tables.
 */

const messenger = useMessenger();

/** Ids far from those that the messenger assigns. */
const me = 1_000_000;
const people = 5000;
const chats = 1000;
const messagesPerChat = 20;
/** A chat of two users with many messages, almost all of which the second has cleared. */
const long = { chatId: me + 5000, userId: me + 2001, clearedBy: me + 2002, messages: 20_000, cleared: 19_990 };
/** A chat of two users with few messages of maximum length. */
const wide = { chatId: me + 5001, userId: me + 2003, otherId: me + 2004, messages: 400 };
/** A message of the long chat with reactions. */
const reacted = 1000;

beforeAll(async () => {
  // Names are evenly distributed over the 26 initial letters.
  await messenger().sql(
    `INSERT INTO users (id, email, email_key, password_hash, first_name, last_name, first_name_key, last_name_key)
     SELECT $me + n, key || '@example.test', key || '@example.test', 'none', first, last, first, last
       FROM generate_series(0, $people - 1) AS n,
            LATERAL (SELECT chr(97 + n % 26) || md5('first' || n) AS first, chr(97 + n / 26 % 26) || md5('last' || n) AS last,
                            'person' || n AS key) AS person`,
    { me, people },
  );
  await messenger().sql(
    `WITH added AS (
       INSERT INTO chats (id, kind, pair_low, pair_high, last_seq, version)
       SELECT $me + n, 'dialog', $me, $me + n, $messagesPerChat, $messagesPerChat FROM generate_series(1, $chats) AS n
       RETURNING id, version
     )
     INSERT INTO chat_texts (chat_id, version) SELECT id, version FROM added`,
    { me, chats, messagesPerChat },
  );
  await messenger().sql(
    `WITH added AS (
       INSERT INTO chats (id, kind, pair_low, pair_high, last_seq, version)
       VALUES ($longId, 'dialog', $userId, $clearedBy, $long, $long), ($wideId, 'dialog', $wideUserId, $otherId, $wide, $wide)
       RETURNING id, version
     )
     INSERT INTO chat_texts (chat_id, version) SELECT id, version FROM added`,
    {
      ...{ longId: long.chatId, userId: long.userId, clearedBy: long.clearedBy, long: long.messages },
      ...{ wideId: wide.chatId, wideUserId: wide.userId, otherId: wide.otherId, wide: wide.messages },
    },
  );
  await messenger().sql(
    `INSERT INTO chat_members (user_id, chat_id)
     SELECT user_id, c.id FROM chats AS c, LATERAL (VALUES (c.pair_low), (c.pair_high)) AS pair (user_id)`,
  );
  await messenger().sql(
    `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
     SELECT c.id, seq, seq, c.pair_high, CASE c.id WHEN $wideId THEN repeat('€', 4096) ELSE 'message ' || seq END,
            clock_timestamp()
       FROM chats AS c, generate_series(1, c.last_seq) AS seq ORDER BY seq, c.id`,
    { wideId: wide.chatId },
  );
  await messenger().sql(
    "UPDATE chat_members SET cleared_seq = $cleared, read_seq = $cleared WHERE chat_id = $chatId AND user_id = $clearedBy",
    { cleared: long.cleared, chatId: long.chatId, clearedBy: long.clearedBy },
  );
  await messenger().sql(
    "UPDATE chats AS c SET last_message_id = m.id FROM messages AS m WHERE m.chat_id = c.id AND m.seq = c.last_seq",
  );
  // Among other people than those of the chats.
  await messenger().sql(
    `INSERT INTO blocks (user_id, blocked_id)
     SELECT $first + n, $first + 1 + (n + k * 7) % 1000
       FROM generate_series(1, 1000) AS n, generate_series(1, 20) AS k WHERE n <> 1 + (n + k * 7) % 1000`,
    { first: me + people - 1001 },
  );
  await messenger().sql(
    `INSERT INTO audit_log (source, actor_id, action, target_type, target_id)
     SELECT 'http', $me + n % 1000, 'user.' || n % 1000, 'user', $me + n % 1000 FROM generate_series(1, 10000) AS n`,
    { me },
  );
  await messenger().sql(
    `UPDATE users SET role = CASE WHEN id % 500 = 0 THEN 'admin' ELSE 'user' END,
                      suspended_at = CASE WHEN id % 400 = 0 THEN now() END WHERE id >= $me`,
    { me },
  );
  await messenger().sql(
    "INSERT INTO chats (id, kind, name) SELECT $me + 6000 + n, 'group', 'group' || n FROM generate_series(1, 50) AS n",
    { me },
  );
  // Of one message of the long chat, and of the wide one.
  await messenger().sql(
    "UPDATE messages SET change = '{}', changed_at = now() WHERE chat_id = $chatId AND seq = $reacted",
    { chatId: long.chatId, reacted },
  );
  await messenger().sql(
    `INSERT INTO message_reactions (message_id, user_id, emoji)
     SELECT m.id, $me + n, '👍' FROM messages AS m, generate_series(1, 20) AS n
      WHERE m.chat_id = $wideId OR m.chat_id = $longId AND m.seq = $reacted`,
    { me, wideId: wide.chatId, longId: long.chatId, reacted },
  );
  // Instead of the indexer, so that the grams are known: each is in a few texts.
  await messenger().sql(
    `INSERT INTO message_texts (message_id, chat_id, seq, sender_id, created_at, text, grams)
     SELECT id, chat_id, seq, sender_id, created_at, content, ARRAY[(id % 5000)::int, -1] FROM messages ORDER BY id`,
  );
  await messenger().sql("VACUUM ANALYZE message_texts");
  // In every chat of `me`, one message that mentions the user and one that mentions everybody; the user mentions others often.
  await messenger().sql(
    `INSERT INTO message_mentions (user_id, chat_id, seq, message_id)
     SELECT CASE m.seq WHEN 2 THEN $me ELSE $me + 4000 END, chat_id, seq, id FROM messages AS m WHERE chat_id > $me`,
    { me },
  );
  await messenger().sql("UPDATE messages SET mentions_all = true WHERE chat_id > $me AND seq = 3", { me });
  await messenger().sql("ANALYZE");
});

/** Runs a query and returns the plan of every statement it sent, with the same values bound. */
async function plansOf(
  run: (database: Database) => Promise<unknown[]>,
  explain = "COSTS OFF",
): Promise<{ rows: number; plans: string[] }> {
  const real = messenger().db;
  const sent: [string, QueryOptions][] = [];
  const recording: Database = Object.create(real, {
    query: {
      value: (sql: string, options: QueryOptions) => {
        sent.push([sql, options]);
        return real.query(sql, options);
      },
    },
  });
  const { length } = await run(recording);
  const plans: string[] = [];
  for (const [sql, { bind }] of sent) {
    const lines = await messenger().sql<{ "QUERY PLAN": string }>(`EXPLAIN (${explain}) ${sql}`, { ...bind });
    plans.push(lines.map((line) => line["QUERY PLAN"]).join("\n"));
  }
  return { rows: length, plans };
}

describe("a search for people", () => {
  const named = (whole: string, ...pairs: NameSearch["pairs"]): NameSearch => ({ whole, pairs });
  const place = (rank: Position["rank"], key: string): Position => ({ rank, firstKey: key, lastKey: key, id: me });
  const [both, first, last] = ["users_by_first_name", "users_by_first_name", "users_by_last_name"];

  test.each<[string, NameSearch, Position | undefined, string[]]>([
    ["of one word", named("ab"), undefined, [first, last]],
    ["of one letter", named("a"), undefined, [first, last]],
    ["of two words", named("a b", { first: "a", last: "b" }), undefined, [both, first, last]],
    [
      "of three words",
      named("a b c", { first: "a", last: "b c" }, { first: "a b", last: "c" }),
      undefined,
      [both, first, last],
    ],
    ["continued among both names", named("a b", { first: "a", last: "b" }), place("both", "ad"), [both, first, last]],
    ["continued among first names", named("a"), place("first", "ad"), [first, last]],
    ["continued among last names", named("a"), place("last", "ad"), [last]],
  ])("%s reads an index range for each of its parts", async (_what, search, after, indexes) => {
    const { plans } = await plansOf((database) => peopleByName(database, search, { callerId: 1, after, limit: 1000 }));
    expect(plans).toHaveLength(indexes.length);
    for (const [part, plan] of plans.entries()) {
      expect(plan).toContain(indexes[part]);
      expect(plan).toMatch(/Index Cond: .*((?:first|last)_name_key) >= .*\1 < /);
      expect(plan).not.toContain("Seq Scan on users");
    }
  });
});

describe("the list of chats", () => {
  test.each([
    ["the first page", 20, 0],
    ["the longest page", 100, 0],
    ["a late page", 20, 900],
  ])("finds %s without scanning the messages", async (_which, limit, offset) => {
    const { rows, plans } = await plansOf((database) => chatList(database, { userId: me, limit, offset }));
    expect(rows).toBe(limit);
    expect(plans).toHaveLength(1);
    expect(plans[0]).toContain("messages_pkey");
    expect(plans[0]).not.toContain("Seq Scan on messages");
    expect(plans[0]).toMatch(/Index Only Scan using message_mentions_pkey/);
    expect(plans[0]).toMatch(/Index Scan using messages_mentions_all/);
  });
});

describe("the list of mentions", () => {
  test.each([
    ["the newest", Number.MAX_SAFE_INTEGER],
    ["a later page", me],
  ])("finds %s by the indexes of mentions", async (_which, before) => {
    const { plans } = await plansOf((database) => mentioningMessages(database, { userId: me, before, limit: 20 }));
    expect(plans[0]).toContain("message_mentions_newest");
    expect(plans[0]).toContain("messages_mentions_all");
    expect(plans[0]).not.toMatch(/Seq Scan on (messages|message_mentions) /);
  });
});

describe("a page of history", () => {
  const pageOf = (upTo: number) => (database: Database) =>
    messagesBySeq(database, { chatId: long.chatId, readerId: long.userId, after: upTo - 100, upTo });

  test("looks for the reactions and the pin of changed messages only, by index", async () => {
    const { rows, plans } = await plansOf(pageOf(long.messages), "ANALYZE, COSTS OFF, TIMING OFF");
    expect(rows).toBe(100);
    expect(plans[0]).toMatch(/message_reactions_pkey.*never executed/);
    expect(plans[0]).toMatch(/chat_pins.*never executed/);
    const changed = await plansOf(pageOf(reacted), "ANALYZE, COSTS OFF, TIMING OFF");
    expect(changed.plans[0]).toMatch(/message_reactions_pkey.*loops=1\b/);
    expect(changed.plans[0]).not.toContain("Seq Scan on message_reactions");
  });
});

describe("a search in messages", () => {
  const wanted: TextSearch = {
    userId: me,
    words: ["message"],
    grams: [42],
    beforeId: Number.MAX_SAFE_INTEGER,
    limit: 20,
  };
  type Find = typeof searchNewest;
  const all =
    (messages: number): Find =>
    (database, search, transaction) =>
      searchAll(database, search, { messages }, transaction);
  const plansFor = (run: Find, more: Partial<TextSearch> = {}) =>
    plansOf((database) =>
      messenger().db.transaction((transaction) => run(database, { ...wanted, ...more }, transaction)),
    );

  test.each<[string, Find, Partial<TextSearch>, string]>([
    ["all chats with few messages", all(1000), {}, "message_texts_grams"],
    ["all chats with many messages", all(10_000_000), {}, "message_texts_grams"],
    ["the newest messages of all chats", searchNewest, { userId: long.userId }, "message_texts_pkey"],
    ["the newest messages of one chat", searchNewest, { chatId: me + 1 }, "message_texts_of_chat"],
  ])("of %s reads the texts by index", async (_which, run, more, index) => {
    const { rows, plans } = await plansFor(run, more);
    expect(rows).toBeGreaterThan(0);
    expect(plans).toHaveLength(1);
    expect(plans[0]).toContain(index);
    expect(plans[0]).not.toMatch(/Seq Scan on (message_texts|messages)\b/);
  });

  test("of many messages does not read the entries of all chats", async () => {
    const { plans } = await plansFor(all(10_000_000));
    expect(plans[0]).not.toContain("message_texts_of_chat");
  });
});

describe("the users who share a chat", () => {
  test("are found without testing the blocks of each member of each chat", async () => {
    const { rows, plans } = await plansOf((database) => contactsOf(database, me));
    expect(rows).toBe(chats);
    expect(plans[0]).toContain("Anti Join");
    expect(plans[0]).not.toContain("SubPlan");
  });
});

describe("the polling of changes by other processes", () => {
  test("reads the end of the primary key and the index of revised messages only", async () => {
    const now = { ...(await currentMark(selectOn(messenger().db))), ageSeconds: 0 };
    const { plans } = await plansOf((database) => recentChanges(database, now));
    expect(plans[0]).toContain("messages_pkey");
    expect(plans[0]).toContain("messages_changed_at");
    expect(plans.join("\n")).not.toContain("Seq Scan on users");
  });

  test("reads the last entry of the primary key to note the present moment", async () => {
    const { plans } = await plansOf(async (database) => [await currentMark(selectOn(database))]);
    expect(plans[0]).toContain("Index Only Scan Backward using messages_pkey");
  });

  test("reads only the end of each chat to find the version to start from", async () => {
    const now = { ...(await currentMark(selectOn(messenger().db))), ageSeconds: 0 };
    const { plans } = await plansOf((database) => versionsBefore(database, [me], now));
    expect(plans[0]).toMatch(/Index Scan.* (using|on) messages_version_unique|Index Cond: \(chat_id/);
  });
});

interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: PlanNode[];
}

const withDescendants = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(withDescendants)];

/** A prepared statement as it was sent. */
async function preparedBy(run: () => Promise<unknown>): Promise<{ text: string; values: (number | number[])[] }> {
  const query = jest.spyOn(pg.Client.prototype, "query");
  try {
    await run();
    const named = query.mock.calls.map(([config]) => Object(config)).find(({ name }) => name !== undefined);
    if (!named) throw new Error("nothing was prepared");
    return named;
  } finally {
    query.mockRestore();
  }
}

/** Runs a prepared statement with the generic plan that a connection keeps, and returns every step. */
async function stepsOf(run: () => Promise<unknown>): Promise<PlanNode[]> {
  const { text, values } = await preparedBy(run);
  const parameters = values
    .map((value) => (Array.isArray(value) ? `'{${value.join(",")}}'` : String(value)))
    .join(", ");
  const { db } = messenger();
  return db.transaction(async (transaction) => {
    await db.query("SET LOCAL plan_cache_mode = force_generic_plan", { transaction });
    await db.query(`PREPARE kept AS ${text}`, { transaction });
    const [explained] = await db.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE kept (${parameters})`,
      { transaction, type: QueryTypes.SELECT },
    );
    await db.query("DEALLOCATE kept", { transaction });
    if (!explained) throw new Error("nothing was explained");
    return withDescendants(explained["QUERY PLAN"][0].Plan);
  });
}

/** How many rows of messages were read through each index, including those that a filter removed. */
function messagesRead(steps: readonly PlanNode[]): Record<string, number> {
  const read: Record<string, number> = { messages_pkey: 0, messages_version_unique: 0, messages_seq_unique: 0 };
  for (const step of steps) {
    const index = step["Index Name"] ?? step["Node Type"];
    // Unread mentions are counted by an index of their own, which has no other rows.
    if (index === "messages_mentions_all") continue;
    if (step["Relation Name"] !== "messages" && !index.startsWith("messages_")) continue;
    const rows = step["Actual Rows"] + (step["Rows Removed by Filter"] ?? 0);
    read[index] = (read[index] ?? 0) + rows * step["Actual Loops"];
  }
  return read;
}

describe("sync", () => {
  const amount = { changes: 500, newest: 50, onlyNewestOfJoined: false, bytes: 512 * 1024 };
  const stepsFor = (userId: number, ...known: KnownChat[]) => {
    const scope = { userId, fromChatId: 1, toChatId: Number.MAX_SAFE_INTEGER };
    return stepsOf(() => differences(messenger().db, scope, { chats: known }, amount));
  };
  const knownOf = (chatId: number, version: number): KnownChat => ({
    ...{ chatId, version, readSeq: 0, clearedSeq: 0, peerReadSeq: null },
  });
  const { chatId, messages } = long;

  test.each<[string, number, number, ReturnType<typeof messagesRead>]>([
    ["of which nothing was missed reads no messages", long.userId, messages, {}],
    ["reads the missed messages", long.userId, messages - 5, { messages_pkey: 5, messages_version_unique: 5 }],
    [
      "of which too much was missed reads one message more than the limit, and the newest",
      ...([long.userId, 0] as const),
      { messages_pkey: 50, messages_version_unique: 501, messages_seq_unique: 50 },
    ],
    [
      "older than the device's version reads the newest messages",
      long.userId,
      messages + 1,
      { messages_pkey: 50, messages_seq_unique: 50 },
    ],
    [
      "that was cleared reads the later messages",
      long.clearedBy,
      0,
      { messages_pkey: 10, messages_version_unique: 10 },
    ],
  ])("with a long chat %s", async (_what, userId, version, read) => {
    const steps = await stepsFor(userId, knownOf(chatId, version));
    expect(messagesRead(steps)).toEqual({
      ...{ messages_pkey: 0, messages_version_unique: 0, messages_seq_unique: 0 },
      ...read,
    });
    expect(steps.map((step) => step["Node Type"])).not.toContain("Seq Scan on users");
  });

  test("with more chats than fit in an answer reads no more messages than could fit", async () => {
    const read = messagesRead(await stepsFor(me));
    expect(read.messages_version_unique).toBeLessThan(3000);
    expect(read.messages_pkey).toBeLessThan(3000);
  });

  test("with more text than fits in an answer reads no more texts than could fit", async () => {
    const read = messagesRead(await stepsFor(wide.userId));
    expect(read.messages_version_unique).toBe(wide.messages);
    expect(read.messages_pkey).toBeLessThanOrEqual(Math.ceil(amount.bytes / (3 * 4096)));
  });
});

describe("the lists of administrators", () => {
  const page = { after: me + 100, limit: 20 };

  test.each<[string, string, (database: Database) => Promise<unknown[]>]>([
    ["accounts", "users_pkey", (database) => managedUsers(database, {}, page)],
    ["administrators", "users_admins", (database) => managedUsers(database, { role: "admin" }, { ...page, limit: 5 })],
    ["suspended accounts", "users_suspended", (database) => managedUsers(database, { status: "suspended" }, page)],
    ["groups", "chats_groups", (database) => groupNames(database, page)],
    ["messages to erase", "messages_of_sender", (database) => messagesToErase(database, { userId: me + 7, limit: 10 })],
  ])("find %s by an index", async (_what, index, run) => {
    const { rows, plans } = await plansOf(run);
    expect(rows).toBeGreaterThan(0);
    expect(plans[0]).toContain(index);
    expect(plans[0]).not.toMatch(/Seq Scan on (users|chats|messages)/);
  });

  test.each([
    [{}, "audit_log_pkey"],
    [{ actorId: me + 7 }, "audit_log_actor"],
    [{ action: "user.7" }, "audit_log_action"],
    [{ targetType: "user", targetId: me + 7 }, "audit_log_target"],
  ])("find recorded actions of %j by an index, without sorting", async (filter, index) => {
    const { rows, plans } = await plansOf((database) =>
      auditRecords(database, filter, { before: Number.MAX_SAFE_INTEGER, limit: 5 }),
    );
    expect(rows).toBe(5);
    expect(plans[0]).toContain(index);
    expect(plans[0]).not.toMatch(/Seq Scan|Sort/);
  });
});
