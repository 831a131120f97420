import { afterEach, expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import { type TestMessenger, useMessenger } from "../../../test/support/messenger.ts";
import type { Fetch } from "../src/index.ts";
import type { WebSocketClass } from "../src/transport.ts";
import { type Person, password, person } from "./support/scenes.ts";
import { Disk, Program, until } from "./support/simulated-device.ts";

const server = useMessenger();
const dialogs = 60;
const messagesOfDialog = 120;
/** What the first screen of a messenger fits into, in bytes. */
const maxBytes = 40 * 1024;
const running: Program[] = [];
afterEach(() => {
  for (const program of running.splice(0)) program.kill();
});

/** Gives a user dialogs with others, as if they had written to each other for a long time. */
async function insertDialogs(messenger: TestMessenger, { id }: Person): Promise<void> {
  const values = { id };
  await messenger.sql(
    `INSERT INTO users (email, email_key, password_hash, first_name)
     SELECT 'other' || n || '@example.test', 'other' || n || '@example.test', 'x', 'Other' || n
       FROM generate_series(1, ${dialogs}) AS n RETURNING id`,
  );
  await messenger.sql(
    `INSERT INTO chats (kind, pair_low, pair_high, last_seq, version)
     SELECT 'dialog', $id, id, ${messagesOfDialog}, ${messagesOfDialog} FROM users WHERE id > $id RETURNING id`,
    values,
  );
  await messenger.sql(
    `INSERT INTO chat_members (user_id, chat_id)
     SELECT pair_low, id FROM chats UNION ALL SELECT pair_high, id FROM chats RETURNING chat_id`,
  );
  await messenger.sql(
    `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
     SELECT c.id, s, s, c.pair_high, 'message ' || s || ' and the rest of what people say to each other', now()
       FROM chats AS c, generate_series(1, ${messagesOfDialog}) AS s RETURNING id`,
  );
  await messenger.sql(
    `UPDATE chats SET last_message_id = (SELECT id FROM messages WHERE chat_id = chats.id ORDER BY seq DESC LIMIT 1)
     RETURNING id`,
  );
}

/** Counts what goes over the network until the list of chats is complete. */
function measured() {
  const traffic = { requests: [] as string[], sent: [] as string[], frames: 0, bytes: 0 };
  class CountingSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      this.on("message", (data: Buffer) => {
        traffic.frames++;
        traffic.bytes += data.length;
      });
    }

    override send(data: string): void {
      traffic.sent.push(JSON.parse(data).type);
      super.send(data);
    }
  }
  const countingFetch: Fetch = (url, options) => {
    traffic.requests.push(`${options.method} ${new URL(url).pathname}`);
    return fetch(url, options);
  };
  return { traffic, options: { WebSocket: CountingSocket as unknown as WebSocketClass, fetch: countingFetch } };
}

test("after a log-in, one connection and one request show all chats; after a restart they are shown before", async () => {
  const ann = await person(server());
  await insertDialogs(server(), ann);
  const url = `http://127.0.0.1:${server().port}`;
  const { traffic, options } = measured();
  const disk = new Disk();
  const first = new Program(url, disk, options);
  running.push(first);
  await first.messenger.login({ email: ann.email, password });
  const chats = await until(first.messenger.chats, (list) => list.length === dialogs);
  // The first round trip opens the connection, the second one is the request.
  expect(traffic.sent).toEqual(["sync"]);
  expect(traffic.requests).toEqual(["POST /auth/login", "GET /api/info"]);
  expect(traffic.frames).toBe(1);
  expect(traffic.bytes).toBeLessThan(maxBytes);
  expect(chats.map(({ title }) => title).sort()[0]).toMatch(/^Other\d+$/);
  expect(chats.every(({ lastMessage, unread }) => lastMessage?.text.startsWith("message 120") && unread > 0)).toBe(
    true,
  );
  await first.messenger.close();

  class UnreachableSocket extends WebSocket {
    constructor() {
      super("ws://127.0.0.1:9");
    }
  }
  const second = new Program(url, disk, { WebSocket: UnreachableSocket as unknown as WebSocketClass });
  running.push(second);
  await second.messenger.resume();
  expect(second.messenger.chats.value).toHaveLength(dialogs);
});
