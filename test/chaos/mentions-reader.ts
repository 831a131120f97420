import type { ChaosClient } from "./client.ts";
import type { ClientSocket } from "./client-socket.ts";
import type { Frame } from "./delivery-checker.ts";
import type { MentionsRead } from "./log.ts";

const maxListed = 100;

/** Reads the unread mentions of each chat of a user, as a device that has just logged in, and the list of all mentions. */
export async function readMentions(client: ChaosClient, port: number): Promise<MentionsRead | undefined> {
  const socket = await client.openSocket(port);
  if (!socket) return undefined;
  socket.listen(ignore, ignore);
  try {
    return { userId: client.userId, unread: await readUnread(socket), messageIds: await readList(socket) };
  } finally {
    socket.close();
  }
}

const ignore = () => {};

async function readUnread(socket: ClientSocket): Promise<Map<number, number>> {
  const unread = new Map<number, number>();
  for (let from = 1; ; ) {
    const range = [from, Number.MAX_SAFE_INTEGER];
    const { item } = await read(socket, "sync", { chats: [], newest: 0, range });
    for (const { chatId, mentions } of item.chats) unread.set(chatId, mentions);
    if (!item.hasMore) return unread;
    from = item.chats.at(-1)?.chatId ?? from;
  }
}

async function readList(socket: ClientSocket): Promise<number[]> {
  const messageIds: number[] = [];
  for (let before: number | null | undefined; before !== null; ) {
    const { data, item } = await read(socket, "listMentions", {
      limit: maxListed,
      ...(before !== undefined && { before }),
    });
    messageIds.push(...data.map(({ messageId }: Frame) => messageId));
    before = item.cursor;
  }
  return messageIds;
}

async function read(socket: ClientSocket, type: string, params: object): Promise<Frame> {
  const frame = await socket.request(type, params);
  if (!frame?.success) throw new Error(`${type} was not answered: ${JSON.stringify(frame)}`);
  return frame.params;
}
