import type { DeliveryChecker, Frame } from "./delivery-checker.ts";
import type { LocalChat } from "./local-chat.ts";
import type { Log, PageRow } from "./log.ts";
import type { Random } from "./random.ts";

/** Reads the history of chats for one device, and has each page compared with what the device knows. */
export class HistoryReader {
  constructor(
    private readonly options: {
      userId: number;
      checker: DeliveryChecker;
      log: Log;
      random: Random;
      request: (type: string, params: object) => Promise<Frame | undefined>;
    },
  ) {}

  /** Reads a page of a chat at a position and sometimes the page before it; both together must be consecutive. */
  async readAround(chat: LocalChat, position: { before?: number; after?: number; around?: number }): Promise<void> {
    const { chatId } = chat;
    const page = await this.requestPage(chat, "getMessages", { chatId, limit: 30, ...position });
    const first = page?.[0]?.seq ?? 1;
    const readsOlder = first > 1 && position.after === undefined && this.options.random.chance(0.5);
    const older = readsOlder ? await this.requestPage(chat, "getMessages", { chatId, limit: 30, before: first }) : [];
    if (!page || !older) return;
    const isNewest = Object.keys(position).length === 0;
    this.options.log.pages.push({ userId: this.options.userId, chatId, rows: [...older, ...page], isNewest });
  }

  /** Reads a page of a group, of which the user need not be a member, or of a dialog. Page 1 is the newest. */
  async readLatest(of: { groupId: number } | { receiverId: number }, page: number): Promise<void> {
    const chats = [...this.options.checker.replica.chats.values()];
    const isGroup = "groupId" in of;
    const chat = chats.find(({ chatId, peerId }) => (isGroup ? chatId === of.groupId : peerId === of.receiverId));
    const type = isGroup ? "getlatestMessageGroup" : "getlatestMessageDialog";
    const chatId = isGroup ? of.groupId : chat?.chatId;
    const rows = await this.requestPage(chat, type, { ...of, limit: 20, page });
    if (!rows || chatId === undefined) return;
    this.options.log.pages.push({ userId: this.options.userId, chatId, rows: rows.toReversed(), isNewest: page === 1 });
  }

  /** Requests a page with any of the request types, and compares it with the replica as it was at the request. */
  private async requestPage(chat: LocalChat | undefined, type: string, params: object): Promise<PageRow[] | undefined> {
    const checkPage = chat && this.options.checker.expectPage(chat);
    const frame = await this.options.request(type, params);
    if (!frame?.success) return undefined;
    this.options.log.counts.pages++;
    const rows: PageRow[] = frame.params.data.map((row: Frame) => ({
      seq: row.seq,
      version: row.version,
      messageId: row.messageId ?? row.id,
      senderId: row.senderId ?? row.sender_id,
      message: row.message ?? row.content,
    }));
    checkPage?.(rows);
    return rows;
  }
}
