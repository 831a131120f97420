import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { Cluster } from "./support/cluster.ts";
import type { Device } from "./support/device.ts";
import { TestMessenger } from "./support/messenger.ts";
import { onDatabase } from "./support/on-database.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import { deleteAccount, numbers, type Participant, participants } from "./support/scenes.ts";

/* Changes of many chats at once leave most connections of the pool to everyone else. */

const chats = 300;
/** One for the change itself, those that read missing changes, and those of background jobs; of ten. */
const maxConnections = 6;

describeWithCluster("changes of many chats at once", () => {
  let cluster: Cluster;
  let messenger: TestMessenger;
  let leaver: Participant;
  let stayer: Participant;
  let device: Device;

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
  }, 60_000);

  beforeAll(async () => {
    messenger = await TestMessenger.start({ DATABASE_URL: cluster.url });
    [leaver, stayer] = await participants(messenger, 1, 1);
  }, 60_000);

  beforeEach(async () => {
    device = await stayer.connect();
  });

  afterEach(() => messenger.closeDevices());

  afterAll(async () => {
    await messenger?.stop();
    await cluster?.remove();
  });

  /** Creates groups of both users that no process has seen. */
  async function createGroups(): Promise<number[]> {
    const rows = await messenger.sql<{ id: number }>(
      `WITH created AS (INSERT INTO chats (kind, name) SELECT 'group', 'g' FROM generate_series(1, $chats) RETURNING id),
            joined AS (INSERT INTO chat_members (user_id, chat_id, role)
                       SELECT member.id, created.id, member.role
                         FROM created, (VALUES ($leaver::bigint, 'member'), ($stayer::bigint, 'owner')) AS member (id, role))
       SELECT id FROM created ORDER BY id`,
      { chats, leaver: leaver.id, stayer: stayer.id },
    );
    return rows.map(({ id }) => id);
  }

  /** Counts the connections of the messenger's pool in use. */
  function countConnections(): { max: number } {
    const { connectionManager } = messenger.db;
    const { getConnection, releaseConnection } = connectionManager;
    const count = { max: 0 };
    let inUse = 0;
    connectionManager.getConnection = async (...parameters) => {
      const connection = await getConnection.apply(connectionManager, parameters);
      count.max = Math.max(count.max, ++inUse);
      return connection;
    };
    connectionManager.releaseConnection = (...parameters) => {
      inUse--;
      return releaseConnection.apply(connectionManager, parameters);
    };
    return count;
  }

  /** The chats of the pushes of a type, once there are as many as chats. */
  async function chatsOfPushes(type: string): Promise<number[]> {
    const ids: number[] = [];
    for (const _ of numbers(1, chats)) ids.push((await device.nextPush(type)).params.item.chatId);
    return ids.sort((a, b) => a - b);
  }

  test("an account with many chats is deleted on few connections, and every chat is notified", async () => {
    const groupIds = await createGroups();
    const count = countConnections();
    await deleteAccount(messenger, leaver);
    expect(await chatsOfPushes("leaveGroup")).toEqual(groupIds);
    expect(count.max).toBeLessThanOrEqual(maxConnections);
  });

  test("many chats changed by another process are read on few connections", async () => {
    const groupIds = await createGroups();
    const count = countConnections();
    await onDatabase(cluster.url, (client) =>
      client.query(
        `WITH changed AS (UPDATE chats SET last_seq = 1, version = 1 WHERE id = ANY ($1::bigint[]) RETURNING id)
         INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
         SELECT id, 1, 1, $2, 'from elsewhere', now() FROM changed`,
        [groupIds, stayer.id],
      ),
    );
    expect(await chatsOfPushes("messageInGroup")).toEqual(groupIds);
    expect(count.max).toBeLessThanOrEqual(maxConnections);
  });
});
