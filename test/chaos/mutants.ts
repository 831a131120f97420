import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onDatabase } from "../support/on-database.ts";
import { delayInsertsAndCommits } from "./delays.ts";
import { allClientRules, type ClientRules } from "./replica.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A text replacement in a file of `dist` or in the database function `send_messages`. */
interface Edit {
  in: string;
  from: string;
  to: string;
}

/** A server with one deliberate fault, which the checker must detect. */
export interface Mutant {
  name: string;
  edits: readonly Edit[];
  /** Further changes of the database schema. */
  sql?: string;
  /** The rules that the clients follow, for a fault of the client. */
  rules?: ClientRules;
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
    name: "syncs by message id instead of version",
    edits: [
      {
        in: "db/queries/chats/sync.js",
        from: "version > wanted.after_version",
        to: "id > (SELECT coalesce(max(id), 0) FROM messages AS before WHERE before.chat_id = wanted.chat_id AND before.version <= wanted.after_version)",
      },
    ],
  },
  {
    name: "does not buffer pushes during a sync",
    edits: [
      {
        in: "ws/reply-order.js",
        from: "bufferPushes(requester) {",
        to: "bufferPushes() {\n        return () => { };\n    }\n    neverBufferPushes(requester) {",
      },
    ],
  },
  {
    name: "pushes changes that a sync already contained",
    edits: [{ in: "ws/reply-order.js", from: "if (!this.isSynced(push))", to: "if (true)" }],
  },
  {
    name: "reads the members before it takes the lock",
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
    name: "publishes a version before the missing ones below it",
    edits: [
      {
        in: "delivery/sequencer.js",
        from: "if (!this.isPositioned || version > this.version + 1)",
        to: "if (false)",
      },
    ],
  },
  {
    name: "does not push edits",
    edits: [
      {
        in: "ws/fan-out.js",
        from: "connections.push(recipientIds, () => {\n            const item",
        to: "connections.push(message.editedAt ? [] : recipientIds, () => {\n            const item",
      },
    ],
  },
  {
    name: "keeps the text of deleted messages",
    edits: [
      {
        in: "db/queries/chats/chat-writes.js",
        from: "content = $content,",
        to: "content = CASE WHEN $content = '' THEN messages.content ELSE $content END,",
      },
    ],
  },
  {
    name: "stores a repeated send twice",
    edits: [{ in: sendMessages, from: "WHEN stored.id IS NOT NULL THEN 'stored'", to: "WHEN false THEN 'stored'" }],
    sql: "DROP INDEX messages_client_id_unique",
  },
  {
    name: "purges the client ids of deleted groups",
    edits: [{ in: "db/queries/messages/ended-chats.js", from: "message.client_message_id IS NULL AS", to: "true AS" }],
  },
  {
    name: "pushes to former members who wrote in the group",
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
    name: "shows history to non-members",
    edits: [
      {
        in: "db/queries/chats/member-state.js",
        from: "member.chat_id = c.id AND member.user_id = $userId",
        to: "member.chat_id = c.id",
      },
    ],
  },
  {
    name: "skips a message between two pages",
    edits: [{ in: "services/messages/history.js", from: "within(before - 1)", to: "within(before - 2)" }],
  },
  {
    name: "omits left chats from sync",
    edits: [{ in: "ws/messages/chats/sync.js", from: "left: left.map((chat) => chat.chatId)", to: "left: []" }],
  },
  {
    name: "does not update the previews of replies (client)",
    edits: [],
    rules: { ...allClientRules, updatesReplies: false },
  },
  {
    name: "does not push read state to other devices of the user",
    edits: [
      {
        in: "services/chats/read-state.js",
        from: "position.peerId === null ? [by.userId] : [by.userId, position.peerId]",
        to: "position.peerId === null ? [] : [position.peerId]",
      },
    ],
  },
  {
    name: "moves read positions back",
    edits: [
      {
        in: "db/queries/chats/read-state.js",
        from: "SET read_seq = GREATEST(member.read_seq, before.target)",
        to: "SET read_seq = before.target",
      },
    ],
  },
];

/** Applied to every server of these runs: sometimes delays responses and pushes after the commit. */
const delays: readonly Edit[] = [
  {
    in: "writes/chat-transaction.js",
    from: "return { result, changes: tx.changes() };",
    to: "await nap();\n            return { result, changes: tx.changes() };",
  },
  { in: "db/prepared.js", from: "return rows;", to: "await nap();\n        return rows;" },
];
const delayFunction = `
const nap = () => new Promise((resolve) => Math.random() < 0.3 ? setTimeout(resolve, Math.random() * 30) : resolve());
`;

/** Purges deleted groups right after the next start, instead of after an hour, which no run lasts. */
const earlyPurge: Edit = { in: "jobs/purge-ended-chats.js", from: "60 * 60_000", to: "1000" };

export interface MutantServer {
  entry: string;
  /** Applies the changes of the database, after the first start. */
  prepare(url: string): Promise<void>;
  remove(): Promise<void>;
}

/** Copies the built server, with delays and with the given fault, if any. */
export async function buildServer(
  { edits, sql = "" }: Omit<Mutant, "name" | "rules"> = { edits: [] },
): Promise<MutantServer> {
  const folder = await mkdtemp(join(tmpdir(), "messenger-mutant-"));
  const dist = join(folder, "dist");
  await cp(join(root, "dist"), dist, { recursive: true });
  for (const shared of ["node_modules", "migrations", "package.json"])
    await symlink(join(root, shared), join(folder, shared));
  for (const edit of [...delays, earlyPurge, ...edits.filter((one) => one.in !== sendMessages)]) {
    const path = join(dist, edit.in);
    await writeFile(path, apply(edit, await readFile(path, "utf8")));
  }
  for (const path of new Set(delays.map((edit) => join(dist, edit.in)))) {
    await writeFile(path, (await readFile(path, "utf8")) + delayFunction);
  }
  return {
    entry: join(dist, "main.js"),
    prepare: async (url) => {
      await delayInsertsAndCommits(url);
      await changeDatabase(url, { edits, sql });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Replaces the only occurrence. @throws Error unless there is exactly one */
function apply({ in: target, from, to }: Edit, source: string): string {
  if (source.split(from).length !== 2) throw new Error(`a mutant no longer applies to ${target}: ${from}`);
  return source.replace(from, () => to);
}

function changeDatabase(url: string, { edits, sql }: Required<Omit<Mutant, "name" | "rules">>): Promise<void> {
  return onDatabase(url, async (client) => {
    const { rows } = await client.query("SELECT pg_get_functiondef('send_messages'::regproc) AS source");
    const functionEdits = edits.filter((edit) => edit.in === sendMessages);
    await client.query(functionEdits.reduce((source, edit) => apply(edit, source), rows[0].source));
    await client.query(sql);
  });
}
