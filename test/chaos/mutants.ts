import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onDatabase } from "../support/on-database.ts";
import { widenWindows } from "./delays.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is changed: in a file of `dist`, or in the function `send_messages` of the database. */
interface Edit {
  in: string;
  from: string;
  to: string;
}

/** A server with one deliberate fault: the checker has to notice, or it proves nothing. */
export interface Mutant {
  name: string;
  edits: readonly Edit[];
  /** What is done to the tables. */
  sql?: string;
}

const sendMessages = "send_messages()";

export const mutants: readonly Mutant[] = [
  {
    name: "acknowledges before the commit",
    edits: [
      { in: "db/prepared.js", from: "const { rows } =", to: 'await client.query("BEGIN");\n        const { rows } =' },
      {
        in: "db/prepared.js",
        from: "return rows;",
        to: 'client.query("COMMIT").catch(() => { });\n        return rows;',
      },
    ],
  },
  {
    name: "pushes before the commit",
    edits: [
      {
        in: "writes/chat-transaction.js",
        from: "await handle.commit(() => transaction.commit());",
        to: "for (const change of tx.changes()) handle.delivery.publish(change);\n            await new Promise((resolve) => setTimeout(resolve, 50));\n            await handle.commit(() => transaction.commit());",
      },
    ],
  },
  {
    name: "catches up by the serial id instead of the version",
    edits: [
      {
        in: "db/queries/chats/sync.js",
        from: "version > wanted.after_version",
        to: "id > (SELECT coalesce(max(id), 0) FROM messages AS before WHERE before.chat_id = wanted.chat_id AND before.version <= wanted.after_version)",
      },
    ],
  },
  {
    name: "does not hold pushes back during a sync",
    edits: [
      {
        in: "ws/reply-order.js",
        from: "bufferPushes(requester) {",
        to: "bufferPushes() {\n        return () => { };\n    }\n    neverBufferPushes(requester) {",
      },
    ],
  },
  {
    name: "pushes what a sync has told already",
    edits: [{ in: "ws/reply-order.js", from: "if (!this.isSynced(push))", to: "if (true)" }],
  },
  {
    name: "looks up the members before it has the lock",
    edits: [
      { in: sendMessages, from: "DECLARE", to: "DECLARE\n looked_up chat_members[];" },
      {
        in: sendMessages,
        from: "BEGIN",
        to: `BEGIN
          SELECT array_agg(member) INTO looked_up FROM chat_members AS member WHERE member.chat_id = ANY (chat_ids);
          PERFORM pg_sleep(0.06);`,
      },
      { in: sendMessages, from: "JOIN chat_members AS sender", to: "JOIN unnest(looked_up) AS sender" },
      { in: sendMessages, from: "FROM chat_members WHERE", to: "FROM unnest(looked_up) WHERE" },
    ],
  },
  {
    name: "neither waits for nor reads what is missing before a greater version",
    edits: [
      {
        in: "delivery/sequencer.js",
        from: "if (!this.isPositioned || version > this.version + 1)",
        to: "if (false)",
      },
    ],
  },
  {
    name: "tells of no edit",
    edits: [
      {
        in: "ws/fan-out.js",
        from: "connections.push(recipientIds, () => {\n            const item",
        to: "connections.push(message.editedAt ? [] : recipientIds, () => {\n            const item",
      },
    ],
  },
  {
    name: "leaves the text of what is deleted",
    edits: [
      {
        in: "db/queries/chats/chat-writes.js",
        from: "content = $content,",
        to: "content = CASE WHEN $content = '' THEN messages.content ELSE $content END,",
      },
    ],
  },
  {
    name: "stores a repeated send again",
    edits: [{ in: sendMessages, from: "WHEN stored.id IS NOT NULL THEN 'stored'", to: "WHEN false THEN 'stored'" }],
    sql: "DROP INDEX messages_client_id_unique",
  },
  {
    name: "forgets the client ids of a group that has ended",
    edits: [{ in: "db/queries/messages/ended-chats.js", from: "message.client_message_id IS NULL AS", to: "true AS" }],
  },
  {
    name: "pushes to everybody who ever wrote in the group",
    edits: [
      {
        in: sendMessages,
        from: "json_agg(user_id) FROM chat_members WHERE chat_id = chats.id",
        to: `json_agg(user_id) FROM (SELECT user_id FROM chat_members WHERE chat_id = chats.id
               UNION SELECT sender_id FROM messages WHERE chat_id = chats.id) AS anybody`,
      },
    ],
  },
  {
    name: "shows history to anybody",
    edits: [{ in: "db/queries/chats/member-state.js", from: " AND member.user_id = $userId", to: "" }],
  },
  {
    name: "leaves a message out between two pages",
    edits: [{ in: "services/messages/history.js", from: "within(before - 1)", to: "within(before - 2)" }],
  },
  {
    name: "does not say which chats somebody has left",
    edits: [
      {
        in: "ws/messages/chats/sync.js",
        from: "left: left.map((chat) => chat.chatId), hasMore",
        to: "left: [], hasMore",
      },
    ],
  },
  {
    name: "tells one's other devices of no read mark",
    edits: [
      {
        in: "services/chats/read-state.js",
        from: "position.peerId === null ? [by.userId] : [by.userId, position.peerId]",
        to: "position.peerId === null ? [] : [position.peerId]",
      },
    ],
  },
  {
    name: "moves read marks back",
    edits: [
      {
        in: "db/queries/chats/read-state.js",
        from: "SET read_seq = GREATEST(member.read_seq, before.target)",
        to: "SET read_seq = before.target",
      },
    ],
  },
];

/** In every server of these runs some time passes now and then between a commit and what is said of it. */
const naps: readonly Edit[] = [
  {
    in: "writes/chat-transaction.js",
    from: "return { result, changes: tx.changes() };",
    to: "await nap();\n            return { result, changes: tx.changes() };",
  },
  { in: "db/prepared.js", from: "return rows;", to: "await nap();\n        return rows;" },
];
const nap = `
const nap = () => new Promise((resolve) => Math.random() < 0.3 ? setTimeout(resolve, Math.random() * 30) : resolve());
`;

/** What is left of a group that has ended goes with the next start, and not only after an hour, which no run lasts. */
const earlyPurge: Edit = { in: "jobs/purge-ended-chats.js", from: "60 * 60_000", to: "1000" };

export interface WidenedServer {
  entry: string;
  /** Changes the database in the same sense, after the first start. */
  prepare(url: string): Promise<void>;
  remove(): Promise<void>;
}

/** Makes a copy of the built server with wide windows, and with a fault in it if one is given. */
export async function makeServer({ edits, sql = "" }: Omit<Mutant, "name"> = { edits: [] }): Promise<WidenedServer> {
  const folder = await mkdtemp(join(tmpdir(), "messenger-mutant-"));
  const dist = join(folder, "dist");
  await cp(join(root, "dist"), dist, { recursive: true });
  for (const shared of ["node_modules", "migrations", "package.json"])
    await symlink(join(root, shared), join(folder, shared));
  for (const edit of [...naps, earlyPurge, ...edits.filter((one) => one.in !== sendMessages)]) {
    const path = join(dist, edit.in);
    await writeFile(path, apply(edit, await readFile(path, "utf8")));
  }
  for (const path of new Set(naps.map((edit) => join(dist, edit.in)))) {
    await writeFile(path, (await readFile(path, "utf8")) + nap);
  }
  return {
    entry: join(dist, "main.js"),
    prepare: async (url) => {
      await widenWindows(url);
      await changeDatabase(url, { edits, sql });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Once, at the only place where it fits. */
function apply({ in: where, from, to }: Edit, source: string): string {
  if (source.split(from).length !== 2) throw new Error(`a mutant no longer fits ${where}: ${from}`);
  return source.replace(from, () => to);
}

function changeDatabase(url: string, { edits, sql }: Required<Omit<Mutant, "name">>): Promise<void> {
  return onDatabase(url, async (client) => {
    const { rows } = await client.query("SELECT pg_get_functiondef('send_messages'::regproc) AS source");
    const ofFunction = edits.filter((edit) => edit.in === sendMessages);
    await client.query(ofFunction.reduce((source, edit) => apply(edit, source), rows[0].source));
    await client.query(sql);
  });
}
