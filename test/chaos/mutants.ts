import { type Conditions, conditions } from "./conditions.ts";
import { allClientRules, type ClientRules } from "./replica.ts";

/** A text replacement in a file of `dist`, in the database function `send_messages`, or in a file of the client SDK. */
export interface Edit {
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
  /** Changes of files in `packages/client/src`, for a fault of the client SDK. */
  sdkEdits?: readonly Edit[];
  /** Under which the fault shows; otherwise the usual ones. */
  conditions?: Conditions;
}

export const sendMessages = "send_messages()";

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
      {
        in: sendMessages,
        from: "FROM chat_members WHERE chat_id = chats.id",
        to: "FROM unnest(looked_up) WHERE chat_id = chats.id",
      },
      // One message alone is stored as several are.
      { in: sendMessages, from: "IF cardinality(chat_ids) = 1 THEN", to: "IF false THEN" },
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
    edits: [
      { in: sendMessages, from: "stored.client_message_id = client_message_ids[1]", to: "false" },
      { in: sendMessages, from: "stored.client_message_id = draft.client_message_id", to: "false" },
    ],
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
  {
    name: "has no circuit breaker for Redis",
    edits: [
      {
        in: "concurrency/circuit-breaker.js",
        from: "async run(operation, fallback) {",
        to: "run(operation) {\n        return operation();\n    }\n    async neverRun(operation, fallback) {",
      },
      { in: "concurrency/circuit-breaker.js", from: "open(error) {", to: "open() { }\n    neverOpen(error) {" },
    ],
    conditions: conditions.redisPauses,
  },
  {
    name: "keeps the epoch when a backup is restored",
    edits: [],
    sql: "CREATE OR REPLACE FUNCTION server_epoch() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'only' $$",
    conditions: conditions.restores,
  },
  {
    name: "keeps the epoch when a standby takes over",
    edits: [],
    sql: "CREATE OR REPLACE FUNCTION server_epoch() RETURNS text LANGUAGE sql STABLE AS $$ SELECT epoch FROM server_state $$",
    conditions: conditions.failovers,
  },
  {
    name: "ignores the epoch (client)",
    edits: [],
    rules: { ...allClientRules, followsEpoch: false },
    conditions: conditions.restores,
  },
  {
    name: "looks for missed changes by the clock of the process",
    edits: [
      {
        in: "jobs/missed-changes.js",
        from: "marks.beforeLatest(marginMs)",
        to: "{ databaseTime: new Date(Date.now() - marginMs) }",
      },
      {
        in: "db/queries/chats/recent-changes.js",
        from: "id > $lastMessageId AND ${",
        to: "created_at > $databaseTime::timestamptz AND ${",
      },
      {
        in: "db/queries/chats/recent-changes.js",
        from: "LEAST($databaseTime::timestamptz, now() - make_interval(secs => $ageSeconds))",
        to: "$databaseTime::timestamptz",
      },
    ],
    conditions: conditions.clockSteps,
  },
  {
    name: "locks a group before it checks the role",
    edits: [
      {
        in: "services/groups/groups.js",
        from: "async requireRole({ userId }, groupId, minRole) {",
        to: "async requireRole() { }\n    async neverRequireRole({ userId }, groupId, minRole) {",
      },
    ],
    conditions: conditions.lockedGroups,
  },
  {
    name: "records a chat as indexed before its messages are",
    edits: [
      {
        in: "services/search/text-indexer.js",
        from: "texts: messages.flatMap(",
        to: "texts: messages.slice(0, -1).flatMap(",
      },
    ],
  },
  {
    name: "does not index changes of messages",
    edits: [
      {
        in: "db/queries/search/text-index.js",
        from: "DO UPDATE SET text = EXCLUDED.text, grams = EXCLUDED.grams",
        to: "DO NOTHING",
      },
    ],
  },
  {
    name: "stores mentions of people who are not members",
    edits: [],
    sql: `DO $$ BEGIN
            EXECUTE replace(pg_get_functiondef('add_mentions'::regproc), 'JOIN chat_members', 'LEFT JOIN chat_members');
          END $$`,
  },
  {
    name: "omits removed keys of the personal state from sync",
    edits: [
      {
        in: "db/queries/state/personal-state.js",
        from: "WHERE user_id = $1 AND version >",
        to: "WHERE user_id = $1 AND value IS NOT NULL AND version >",
      },
    ],
  },
  {
    name: "deletes files that are still in another message",
    edits: [
      {
        in: "db/queries/files/collect.js",
        from: "EXISTS (SELECT FROM message_files WHERE file_id = files.id)",
        to: "false",
      },
    ],
  },
  {
    name: "removes a message from the outbox before the answer (SDK)",
    edits: [],
    sdkEdits: [
      {
        in: "outbox.ts",
        from: "const item = await this.sendOnce(",
        to: "void this.options.store.delete(prefix + entry.key);\n        const item = await this.sendOnce(",
      },
    ],
  },
  {
    name: "makes an id for each attempt (SDK)",
    edits: [],
    sdkEdits: [
      {
        in: "outbox.ts",
        from: "const params = {\n      ...message,",
        to: "const params = {\n      ...message,\n      clientMessageId: uuid(),",
      },
    ],
  },
  {
    name: "sends messages without their files (SDK)",
    edits: [],
    sdkEdits: [{ in: "outbox.ts", from: "files.flatMap(({ fileId }) => fileId ?? [])", to: "undefined" }],
  },
  {
    name: "uploads other content after a failed attempt (SDK)",
    edits: [],
    sdkEdits: [
      {
        in: "uploads.ts",
        from: "const content = await this.contentOf(key);",
        to: "const stored = await this.contentOf(key);\n    const content = file.fileId === undefined ? stored : new Blob([new Uint8Array(stored.size)]);",
      },
    ],
  },
];
