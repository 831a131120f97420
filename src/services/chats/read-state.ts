import type { Database } from "../../db/connect.ts";
import { advanceReadPosition, clearDialogFor, sharedReadPositions } from "../../db/queries/chats/read-state.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import type { Actor } from "../../domain/actor.ts";
import { noSuchUser, notInChat } from "../../domain-errors.ts";
import { User } from "../../models/index.ts";

/** What a person has read and hidden: marks of the membership, which change nothing for anybody else. */
export class ReadState {
  constructor(private readonly options: { database: Database; delivery: Delivery }) {}

  /** Notes that everything up to `seq` has been read. Only ever moves forward; in a dialog the other side is told, unless one of the two blocks the other. */
  async markRead(by: Actor, { chatId, seq }: { chatId: number; seq: number }) {
    const { database, delivery } = this.options;
    const mark = await advanceReadPosition(database, { chatId, userId: by.userId, seq });
    if (!mark) throw notInChat();
    const item = { chatId, userId: by.userId, readSeq: mark.readSeq };
    const recipientIds = mark.peerId === null ? [by.userId] : [by.userId, mark.peerId];
    if (mark.moved) delivery.publishSignal({ kind: "read", item, recipientIds, requester: by.requester });
    return item;
  }

  /**
   * Hides the dialog up to now, for the one who asks only. Null where there is nothing to hide. What is hidden counts as
   * read, which the other side is told as ever.
   */
  async clearDialog(by: Actor, { receiverId }: { receiverId: number }) {
    const { database, delivery } = this.options;
    const view = await clearDialogFor(database, { userId: by.userId, otherId: receiverId });
    if (!view) {
      if ((await User.count({ where: { id: receiverId } })) === 0) throw noSuchUser();
      return null;
    }
    const { moved, peerId, ...item } = view;
    delivery.publishSignal({ kind: "cleared", item, recipientIds: [by.userId], requester: by.requester });
    if (moved && peerId !== null) {
      const { chatId, readSeq } = item;
      delivery.publishSignal({ kind: "read", item: { chatId, userId: by.userId, readSeq }, recipientIds: [peerId] });
    }
    return item;
  }

  /** Tells two people how far the other has read, if they may know it: after a block, during which neither was told. */
  async shareReadPositions(userId: number, otherId: number): Promise<void> {
    const { database, delivery } = this.options;
    for (const { peerId, ...item } of await sharedReadPositions(database, { userId, otherId })) {
      delivery.publishSignal({ kind: "read", item, recipientIds: [peerId] });
    }
  }
}
