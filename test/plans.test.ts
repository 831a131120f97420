import { beforeAll, describe, expect, test } from "@jest/globals";
import type { QueryOptions } from "sequelize";
import type { Database } from "../src/db/connect.ts";
import { chatList } from "../src/db/queries/chat-list.ts";
import { type NameSearch, type Place, peopleByName } from "../src/db/queries/people.ts";
import { recentChanges, versionBefore } from "../src/db/queries/recent-changes.ts";
import { useMessenger } from "./support/messenger.ts";

/* That the queries of the busiest screens read an index, on tables of a size at which that matters. */

const messenger = useMessenger();

/** Ids far from those that the messenger gives out. */
const me = 1_000_000;
const people = 5000;
const chats = 1000;
const messagesPerChat = 20;

beforeAll(async () => {
  // Names of an even spread: each of 26 letters begins as many first and as many last names.
  await messenger().sql(
    `INSERT INTO users (id, email, email_key, password_hash, first_name, last_name, first_name_key, last_name_key)
     SELECT $me + n, key || '@example.test', key || '@example.test', 'none', first, last, first, last
       FROM generate_series(0, $people - 1) AS n,
            LATERAL (SELECT chr(97 + n % 26) || md5('first' || n) AS first, chr(97 + n / 26 % 26) || md5('last' || n) AS last,
                            'person' || n AS key) AS person`,
    { me, people },
  );
  await messenger().sql(
    `INSERT INTO chats (id, kind, pair_low, pair_high, last_seq, version)
     SELECT $me + n, 'dialog', $me, $me + n, $messagesPerChat, $messagesPerChat FROM generate_series(1, $chats) AS n`,
    { me, chats, messagesPerChat },
  );
  await messenger().sql(
    `INSERT INTO chat_members (user_id, chat_id)
     SELECT user_id, c.id FROM chats AS c, LATERAL (VALUES (c.pair_low), (c.pair_high)) AS pair (user_id)`,
  );
  await messenger().sql(
    `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
     SELECT c.id, seq, seq, c.pair_high, 'message ' || seq, clock_timestamp()
       FROM generate_series(1, $messagesPerChat) AS seq, chats AS c ORDER BY seq, c.id`,
    { messagesPerChat },
  );
  await messenger().sql(
    "UPDATE chats AS c SET last_message_id = m.id FROM messages AS m WHERE m.chat_id = c.id AND m.seq = c.last_seq",
  );
  await messenger().sql("ANALYZE");
});

/** Runs a query, and gives the plan of every statement that it sent, with the same values bound. */
async function plansOf(run: (database: Database) => Promise<unknown[]>): Promise<{ rows: number; plans: string[] }> {
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
    const lines = await messenger().sql<{ "QUERY PLAN": string }>(`EXPLAIN (COSTS OFF) ${sql}`, { ...bind });
    plans.push(lines.map((line) => line["QUERY PLAN"]).join("\n"));
  }
  return { rows: length, plans };
}

describe("a search for people", () => {
  const named = (whole: string, ...pairs: NameSearch["pairs"]): NameSearch => ({ whole, pairs });
  const place = (rank: Place["rank"], key: string): Place => ({ rank, firstKey: key, lastKey: key, id: me });
  const [both, first, last] = ["users_by_first_name", "users_by_first_name", "users_by_last_name"];

  test.each<[string, NameSearch, Place | undefined, string[]]>([
    ["of one word", named("ab"), undefined, [first, last]],
    ["of one letter", named("a"), undefined, [first, last]],
    ["of two words", named("a b", { first: "a", last: "b" }), undefined, [both, first, last]],
    [
      "of three words",
      named("a b c", { first: "a", last: "b c" }, { first: "a b", last: "c" }),
      undefined,
      [both, first, last],
    ],
    [
      "that goes on among both names",
      named("a b", { first: "a", last: "b" }),
      place("both", "ad"),
      [both, first, last],
    ],
    ["that goes on among first names", named("a"), place("first", "ad"), [first, last]],
    ["that goes on among last names", named("a"), place("last", "ad"), [last]],
  ])("%s reads a range of an index for each of its parts", async (_what, search, after, indexes) => {
    const { plans } = await plansOf((database) => peopleByName(database, search, { after, limit: 1000 }));
    expect(plans).toHaveLength(indexes.length);
    for (const [part, plan] of plans.entries()) {
      expect(plan).toContain(indexes[part]);
      expect(plan).toMatch(/Index Cond: .*((?:first|last)_name_key) >= .*\1 < /);
      expect(plan).not.toContain("Seq Scan");
    }
  });
});

describe("the list of chats", () => {
  test.each([
    ["the first page", 20, 0],
    ["the longest page", 100, 0],
    ["a page far behind", 20, 900],
  ])("finds %s without reading the messages from end to end", async (_which, limit, offset) => {
    const { rows, plans } = await plansOf((database) => chatList(database, { userId: me, limit, offset }));
    expect(rows).toBe(limit);
    expect(plans).toHaveLength(1);
    expect(plans[0]).toContain("messages_pkey");
    expect(plans[0]).not.toContain("Seq Scan on messages");
  });
});

describe("the look for what other processes changed", () => {
  test("reads the end of the primary key and the index of what was revised, and nothing else", async () => {
    const { plans } = await plansOf((database) => recentChanges(database, { seconds: 0 }));
    expect(plans[0]).toContain("Index Scan Backward using messages_pkey");
    expect(plans[1]).toContain("messages_pkey");
    expect(plans[1]).toContain("messages_revised_at");
    expect(plans.join("\n")).not.toContain("Seq Scan");
  });

  test("and the start of one chat reads that chat alone", async () => {
    const { plans } = await plansOf(async (database) => [await versionBefore(database, { chatId: me, seconds: 60 })]);
    expect(plans[0]).toMatch(/Index Scan.* (using|on) messages_version_unique|Index Cond: \(chat_id/);
  });
});
