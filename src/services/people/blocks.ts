import type { Database } from "../../db/connect.ts";
import { blockedPeople, blocks, mayBlock } from "../../db/queries/people/blocked-people.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import type { Person } from "../../domain/person.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import { Block } from "../../models/index.ts";
import type { ChatWriter } from "../../writes/chat-transaction.ts";
import type { ReadState } from "../chats/read-state.ts";

/** Blocks between users. For the blocked user the other account appears not to exist. */
export class Blocks {
  /** @param options.onChange called after one of the two users has blocked or unblocked the other */
  constructor(
    private readonly options: {
      database: Database;
      chatWriter: ChatWriter;
      delivery: Delivery;
      readState: ReadState;
      onChange: (pair: [number, number]) => void;
    },
  ) {}

  list(userId: number): Promise<Person[]> {
    return blockedPeople(this.options.database, userId);
  }

  /**
   * Blocks a user. A block that exists can be set again, whether or not the other account can still be found: it may be
   * deleted, or block the user.
   */
  async block(userId: number, blockedId: number): Promise<void> {
    if (userId === blockedId) throw new AppError("validation", '"userId" must not be your own', { field: "userId" });
    const isNew = !(await blocks(userId, blockedId)) && (await this.store(userId, blockedId));
    this.options.onChange([userId, blockedId]);
    if (isNew) this.notifyOwnDevices(userId, { userId: blockedId, blocked: true });
  }

  /** Unblocks a user; succeeds if there is no block. */
  async unblock(userId: number, blockedId: number): Promise<void> {
    const removed = await Block.destroy({ where: { userId, blockedId } });
    this.options.onChange([userId, blockedId]);
    if (removed > 0) this.notifyOwnDevices(userId, { userId: blockedId, blocked: false });
    await this.options.readState.shareReadPositions(userId, blockedId);
  }

  /**
   * Stores a block, with the same locks as a send to the blocking user: a message is either stored before the response or
   * rejected after it.
   * @returns false if the block exists
   */
  private async store(userId: number, blockedId: number): Promise<boolean> {
    if (!(await mayBlock(this.options.database, { userId, otherId: blockedId }))) throw noSuchUser();
    return this.options.chatWriter.commit(undefined, async (tx) => {
      const { transaction } = tx;
      // In ascending id order, as everywhere: two users may block each other at the same time.
      let exists = false;
      for (const id of [userId, blockedId].sort((a, b) => a - b)) {
        if (id === userId) await tx.lockAccountExclusively(id);
        else exists = await tx.lockAccount(id);
      }
      if (!exists) throw noSuchUser();
      await tx.lockDialog(userId, blockedId);
      if (await blocks(userId, blockedId, transaction)) return false;
      await Block.create({ userId, blockedId }, { transaction });
      return true;
    });
  }

  private notifyOwnDevices(userId: number, item: { userId: number; blocked: boolean }): void {
    this.options.delivery.publishSignal({ kind: "block", item, recipientIds: [userId] });
  }
}
