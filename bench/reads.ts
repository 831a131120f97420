import pg from "pg";
import { connect } from "../src/db/connect.ts";
import { migrate } from "../src/db/migrate.ts";
import { chatList } from "../src/db/queries/chat-list.ts";
import { createLogger } from "../src/logger.ts";
import { People } from "../src/services/people.ts";

// npm run bench:reads: finding people among a million, and the chat list of somebody with 1,000 chats and a million
// messages. Makes a database of its own on the server of TEST_DATABASE_URL, and drops it.

const server = process.env.TEST_DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";
const name = `messenger_bench_${process.pid}`;
const url = new URL(server);
url.pathname = `/${name}`;
const log = createLogger({ level: "silent", readable: false });
const print = (line: string) => process.stdout.write(`${line}\n`);

async function onServer(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

const people = `
  INSERT INTO users (email, email_key, password_hash, first_name, last_name, first_name_key, last_name_key)
  SELECT 'u' || i || '@example.test', 'u' || i || '@example.test', 'x', f, l, lower(f), lower(l)
    FROM (SELECT i,
                 (ARRAY['Anna','Annika','Bob','Carla','Dmitri','Elena','Frank','Grace','Hans','Ivan','Julia','Karl',
                        'Lena','Maria','Nora','Oleg','Paul','Quinn','Rosa','Sven'])[1 + i % 20]
                   || CASE WHEN i % 3 = 0 THEN '' ELSE chr(97 + i % 26) END AS f,
                 (ARRAY['Smith','Kowalski','Ivanov','Garcia','Muller','Rossi','Anders','Novak','Kim','Lee']
                 )[1 + (i / 20) % 10] || md5(i::text) AS l
            FROM generate_series(1, 1000000) AS i) AS names`;

const chats = `
  INSERT INTO chats (kind, name, last_seq, version, last_message_id)
  SELECT 'group', 'group ' || i, 1000, 1000, i * 1000 FROM generate_series(1, 1000) AS i;
  INSERT INTO chat_members (user_id, chat_id, read_seq) SELECT 1, id, 990 FROM chats;
  INSERT INTO chat_members (user_id, chat_id) SELECT 2, id FROM chats ORDER BY id LIMIT 10;
  INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
  SELECT chat, seq, seq, 1, 'message ' || seq, now() FROM generate_series(1, 1000) AS chat, generate_series(1, 1000) AS seq
   ORDER BY chat, seq`;

async function median(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < 9; round++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return `${times.sort((a, b) => a - b)[4]?.toFixed(1)} ms`;
}

await onServer(server, `CREATE DATABASE ${name}`);
try {
  await migrate(url.href, log);
  await onServer(url.href, `${people}; ${chats}; ANALYZE;`);
  const database = connect({ url: url.href, embedded: false, poolSize: 2, log });
  const finder = new People({ database });
  print("| one million people, the first 20 for | rows | median of 9 |");
  print("| --- | --- | --- |");
  for (const search of ["a", "anna", "kow", "anna k", "a k", "a zzz", "zzz", "u77@example.test"]) {
    const { data } = await finder.list({ search, limit: 20 });
    print(`| ${search} | ${data.length} | ${await median(() => finder.list({ search, limit: 20 }))} |`);
  }
  print("| chat list, the first 20 of | | |");
  for (const [userId, count] of [
    [2, 10],
    [1, 1000],
  ] as const) {
    print(`| ${count} chats | | ${await median(() => chatList(database, { userId, limit: 20, offset: 0 }))} |`);
  }
  await database.close();
} finally {
  await onServer(server, `DROP DATABASE ${name} WITH (FORCE)`);
}
