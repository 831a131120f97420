import { WebSocket } from "ws";
import type { Dataset } from "../dataset.ts";
import type { Scenario } from "../scenario.ts";
import { startServer, withServers } from "../servers.ts";

const dialogs = 60;
const messagesOfDialog = 120;
/** What the first screen of a messenger fits into, in bytes. */
const maxBytes = 40 * 1024;

/** User 1 has a dialog with each of the users 2 to 61. */
const dataset: Dataset = {
  people: dialogs + 1,
  sql: `
    INSERT INTO chats (id, kind, pair_low, pair_high, last_seq, version, last_message_id)
    SELECT d, 'dialog', 1, d + 1, ${messagesOfDialog}, ${messagesOfDialog}, d * ${messagesOfDialog}
      FROM generate_series(1, ${dialogs}) AS d;
    INSERT INTO chat_members (user_id, chat_id)
    SELECT 1, d FROM generate_series(1, ${dialogs}) AS d UNION ALL SELECT d + 1, d FROM generate_series(1, ${dialogs}) AS d;
    INSERT INTO messages (id, chat_id, seq, version, sender_id, content, created_at)
    SELECT (d - 1) * ${messagesOfDialog} + s, d, s, s, d + 1,
           'message ' || s || ' and the rest of what people say to each other', now()
      FROM generate_series(1, ${dialogs}) AS d, generate_series(1, ${messagesOfDialog}) AS s ORDER BY d, s`,
};

interface Traffic {
  frames: number;
  bytes: number;
  ms: number;
}

/** Syncs a device that knows nothing, until the answer is complete. */
function syncFromNothing(url: string, token: string, params: object): Promise<Traffic> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  const traffic: Traffic = { frames: 0, bytes: 0, ms: 0 };
  const known = new Map<number, [chatId: number, version: number, readSeq: number]>();
  let startedAt = 0;
  const ask = () => socket.send(JSON.stringify({ type: "sync", params: { chats: [...known.values()], ...params } }));
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => {
      startedAt = performance.now();
      ask();
    });
    socket.on("message", (data: Buffer) => {
      traffic.frames++;
      traffic.bytes += data.length;
      const { item } = JSON.parse(String(data)).params;
      for (const { chatId, version, readSeq } of item.chats) known.set(chatId, [chatId, version, readSeq]);
      if (item.hasMore) return ask();
      socket.close();
      resolve({ ...traffic, ms: performance.now() - startedAt });
    });
  });
}

export const coldStart: Scenario = {
  summary: "the first sync of a device that knows nothing, for 60 chats of 120 messages",
  run(_options, databaseServer) {
    return withServers([() => startServer("ours", { databaseServer, dataset })], async ([server]) => {
      if (!server) throw new Error("no server was started");
      const url = server.url.replace(/^http/, "ws");
      const rows: (string | number)[][] = [];
      let smallest = 0;
      for (const params of [{}, { newest: 20 }, { newest: 1 }]) {
        const { frames, bytes, ms } = await syncFromNothing(url, server.tokenOf(1), params);
        rows.push([JSON.stringify(params), frames, bytes / 1024, ms]);
        smallest = bytes;
      }
      return [
        {
          title: `cold-start: ${dialogs} dialogs of ${messagesOfDialog} messages`,
          columns: ["params", "frames", "KiB", "ms"],
          rows,
          targets: [{ name: "bytes with newest: 1", measured: smallest, limit: maxBytes }],
          faults: [],
        },
      ];
    });
  },
};
