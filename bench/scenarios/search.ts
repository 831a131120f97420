import { readSettings } from "../../src/config/read-settings.ts";
import { connect, type Database } from "../../src/db/connect.ts";
import { chatsBehind } from "../../src/db/queries/search/text-index.ts";
import { select } from "../../src/db/select.ts";
import { createLogger } from "../../src/logger.ts";
import { MessageSearch } from "../../src/services/search/message-search.ts";
import { TextIndexer } from "../../src/services/search/text-indexer.ts";
import { populate } from "../dataset.ts";
import type { Scenario } from "../scenario.ts";
import { quantile } from "../statistics.ts";
import { digits, type Report, type Target } from "../table.ts";

const chats = 1000;
/** User 1 is in all chats, user 2 in every twentieth. */
const searchers = [
  { userId: 2, chats: 50 },
  { userId: 1, chats },
];
const rounds = 200;
const maxMs = { p50: 20, p99: 200 };

const syllables =
  "ka ti mo re lin son ber ta no ve ri al en st or tra qui pan du fe gra ho il jo ke la me nu op per".split(" ");
const cyrillic = "ка ти мо ре лин сон бер та но ве ри ал ен ст ор тра пан ду фе гра".split(" ");
const vocabulary = 20_000;
/** Every this many messages has the rare word. */
const rareEvery = 100_000;
const rareWord = "zebracrossing";

/** Numbers that are the same in every run. */
function randomNumbers(): (below: number) => number {
  let state = 12_345;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state / 2 ** 32) * below;
  };
}

/** Texts with words as frequent as in languages: 75 % Latin, 15 % Cyrillic, 10 % Chinese. */
function makeTexts() {
  const random = randomNumbers();
  const pick = (parts: readonly string[]) => parts[Math.floor(random(parts.length))] ?? "";
  const words = (parts: readonly string[]) =>
    Array.from({ length: vocabulary }, () =>
      Array.from({ length: 1 + Math.floor(random(4)) }, () => pick(parts)).join(""),
    );
  const [latin, russian] = [words(syllables), words(cyrillic)];
  const han = Array.from({ length: 3000 }, (_, index) => String.fromCodePoint(0x4e00 + 5 * index));
  const frequent = (from: readonly string[]) => from[Math.floor(from.length ** random(1)) - 1] ?? "";
  const text = (index: number): string => {
    if (index % rareEvery === 777) return `the ${rareWord} again`;
    const kind = random(1);
    const length = 3 + Math.floor(random(12));
    if (kind < 0.1) return Array.from({ length: 2 * length }, () => frequent(han)).join("");
    return Array.from({ length }, () => frequent(kind < 0.25 ? russian : latin)).join(" ");
  };
  const queries = {
    "a rare word": rareWord,
    "a word of medium frequency": latin[3000] ?? "",
    "a common word": latin.find((word) => word.length > 5) ?? "",
    "two common words": `${latin[1]}${latin[2]}`.slice(0, 6),
    "two letters": "ka",
    "two rare letters": "zz",
    "a Cyrillic word": russian[50] ?? "",
    "a common ideograph": han[0] ?? "",
    "a rare ideograph": han[2900] ?? "",
    "two ideographs": `${han[0]}${han[1]}`,
    nothing: "tratrasonsonberber",
  };
  return { text, queries };
}

async function insertMessages(database: Database, count: number, text: (index: number) => string): Promise<void> {
  const step = 5000;
  for (let from = 0; from < count; from += step) {
    const texts = Array.from({ length: Math.min(step, count - from) }, (_, index) => text(from + index));
    await select(
      database,
      `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
       SELECT 1 + ($from::int + place - 1) % ${chats}, 1 + ($from::int + place - 1) / ${chats},
              1 + ($from::int + place - 1) / ${chats}, 1, content, clock_timestamp()
         FROM unnest($texts::text[]) WITH ORDINALITY AS given (content, place)`,
      { from, texts },
    );
  }
  await database.query(
    `UPDATE chats AS c SET version = last.seq, last_seq = last.seq, last_message_id = last.id
       FROM (SELECT chat_id, max(seq) AS seq, max(id) AS id FROM messages GROUP BY chat_id) AS last
      WHERE last.chat_id = c.id`,
  );
}

const membersSql = `
  INSERT INTO chats (id, kind, name) SELECT i, 'group', 'group ' || i FROM generate_series(1, ${chats}) AS i;
  INSERT INTO chat_members (user_id, chat_id) SELECT 1, i FROM generate_series(1, ${chats}) AS i;
  INSERT INTO chat_members (user_id, chat_id) SELECT 2, i FROM generate_series(20, ${chats}, 20) AS i`;

/** Indexes everything with the job of the server. */
async function fill(database: Database, count: number): Promise<Report> {
  const indexer = new TextIndexer({ database });
  const startedAt = performance.now();
  while (await indexer.indexSome());
  const seconds = (performance.now() - startedAt) / 1000;
  await database.query("VACUUM ANALYZE message_texts");
  const [size] = await select<{ table: number; index: number }>(
    database,
    `SELECT pg_table_size('message_texts') / 2 ^ 20 AS table, pg_indexes_size('message_texts') / 2 ^ 20 AS index`,
    {},
  );
  return {
    title: `search: indexing ${digits(count)} messages`,
    columns: ["messages/s", "table MiB", "indexes MiB"],
    rows: [[count / seconds, Number(size?.table), Number(size?.index)]],
    targets: [],
    faults: (await chatsBehind(database, { limit: 1 })).length > 0 ? ["not all messages are indexed"] : [],
  };
}

async function measure(database: Database, queries: Readonly<Record<string, string>>, repeats: number) {
  const finder = new MessageSearch({ database });
  const rows: (string | number)[][] = [];
  const targets: Target[] = [];
  for (const { userId, chats: joined } of searchers) {
    for (const [name, query] of Object.entries(queries)) {
      const times: number[] = [];
      let found = 0;
      for (let round = 0; round < repeats; round++) {
        const startedAt = performance.now();
        found = (await finder.search(userId, { query, limit: 20 }, () => 0)).found.length;
        times.push(performance.now() - startedAt);
      }
      times.sort((a, b) => a - b);
      const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
      rows.push([String(joined), name, String(found), p50, p99]);
      targets.push({ name: `p50 ms, ${joined} chats, ${name}`, measured: p50, limit: maxMs.p50 });
      targets.push({ name: `p99 ms, ${joined} chats, ${name}`, measured: p99, limit: maxMs.p99 });
    }
  }
  return { rows, targets };
}

export const search: Scenario = {
  summary: "searching a million messages",
  async run({ quick, size }, databaseServer) {
    const count = quick ? 20_000 : size;
    const log = createLogger({ level: "silent", readable: false });
    const url = await databaseServer.createDatabase();
    await populate(url, { people: 2, sql: membersSql });
    const { timeouts } = readSettings({ DATABASE_URL: url, DATABASE_STATEMENT_TIMEOUT_SECONDS: "60" }).database;
    const { database } = connect({ url, embedded: false, poolSize: 2, timeouts, log });
    const { text, queries } = makeTexts();
    await insertMessages(database, count, text);
    const filled = await fill(database, count);
    await database.query("ANALYZE");
    const { rows, targets } = await measure(database, queries, quick ? 3 : rounds);
    await database.close();
    const title = `search: the first 20 of ${digits(count)} messages in ${digits(chats)} chats`;
    const columns = ["chats of the user", "query", "found", "p50 ms", "p99 ms"];
    return [filled, { title, columns, rows, targets, faults: [] }];
  },
};
