import type { Database } from "../../db/connect.ts";
import { messageAccess } from "../../db/queries/chats/member-state.ts";
import {
  advanceReadPosition,
  clearDialogFor,
  type Reader,
  readersOf,
  sharedReadPositions,
} from "../../db/queries/chats/read-state.ts";
import { mayKnow } from "../../db/queries/people/blocked-people.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import type { Actor } from "../../domain/actor.ts";
import { noSuchMessage, noSuchUser, notInChat } from "../../domain-errors.ts";

/** What members have read and cleared. These positions belong to the membership and change nothing for anyone else. */
export class ReadState {
  constructor(private readonly options: { database: Database; delivery: Delivery }) {}

  /**
   * Marks everything up to `seq` as read; the position never moves back. In a dialog the other person is notified, unless
   * one of the two blocks the other.
   */
  async markRead(by: Actor, { chatId, seq }: { chatId: number; seq: number }) {
    const { database, delivery } = this.options;
    const position = await advanceReadPosition(database, { chatId, userId: by.userId, seq });
    if (!position) throw notInChat();
    const item = { chatId, userId: by.userId, readSeq: position.readSeq };
    const recipientIds = position.peerId === null ? [by.userId] : [by.userId, position.peerId];
    if (position.moved) delivery.publishSignal({ kind: "read", item, recipientIds, requester: by.requester });
    return item;
  }

  /**
   * Hides the messages of a dialog up to now, for the caller only; hidden messages count as read. Null if the two have no
   * dialog.
   */
  async clearDialog(by: Actor, { receiverId }: { receiverId: number }) {
    const { database, delivery } = this.options;
    const position = await clearDialogFor(database, { userId: by.userId, otherId: receiverId });
    if (!position) {
      if (!(await mayKnow(database, { userId: by.userId, otherId: receiverId }))) throw noSuchUser();
      return null;
    }
    const { moved, peerId, ...item } = position;
    delivery.publishSignal({ kind: "cleared", item, recipientIds: [by.userId], requester: by.requester });
    if (moved && peerId !== null) {
      const { chatId, readSeq } = item;
      delivery.publishSignal({ kind: "read", item: { chatId, userId: by.userId, readSeq }, recipientIds: [peerId] });
    }
    return item;
  }

  /**
   * Returns the members of a chat who have read up to a message, those who have read furthest first, without members who
   * block the caller or whom the caller blocks.
   */
  async readers(userId: number, page: { messageId: number; limit: number; page: number }): Promise<Reader[]> {
    const { database } = this.options;
    const { messageId, limit } = page;
    if (!(await messageAccess(database, { messageId, userId }))) throw noSuchMessage();
    return readersOf(database, { messageId, userId, limit, offset: (page.page - 1) * limit });
  }

  /** Sends each of two people the other's read position, if they may know it: while blocked they were not notified. */
  async shareReadPositions(userId: number, otherId: number): Promise<void> {
    const { database, delivery } = this.options;
    for (const { peerId, ...item } of await sharedReadPositions(database, { userId, otherId })) {
      delivery.publishSignal({ kind: "read", item, recipientIds: [peerId] });
    }
  }
}
