import type { Database } from "../../db/connect.ts";
import { blockedPeople, blocks } from "../../db/queries/people/blocked-people.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import type { Person } from "../../domain/person.ts";
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
   * Blocks a user. Whether or not there is such a user, and whether or not they block the caller, the caller observes the
   * same: the block succeeds, and the caller's devices are notified.
   */
  async block(userId: number, blockedId: number): Promise<void> {
    if (userId === blockedId) throw new AppError("validation", '"userId" must not be your own', { field: "userId" });
    await this.store(userId, blockedId);
    this.options.onChange([userId, blockedId]);
    this.notifyOwnDevices(userId, { userId: blockedId, blocked: true });
  }

  /** Unblocks a user; succeeds if there is no block, and notifies as if there had been one. */
  async unblock(userId: number, blockedId: number): Promise<void> {
    await Block.destroy({ where: { userId, blockedId } });
    this.options.onChange([userId, blockedId]);
    this.notifyOwnDevices(userId, { userId: blockedId, blocked: false });
    await this.options.readState.shareReadPositions(userId, blockedId);
  }

  /**
   * Stores a block if the account exists, with the same locks as a send to the blocking user: a message is either stored
   * before the response or rejected after it. Locks and commits in every case, so that the time reveals nothing.
   */
  private store(userId: number, blockedId: number): Promise<void> {
    return this.options.chatWriter.commit(undefined, async (tx) => {
      const { transaction } = tx;
      // In ascending id order, as everywhere: two users may block each other at the same time.
      let exists = false;
      for (const id of [userId, blockedId].sort((a, b) => a - b)) {
        if (id === userId) await tx.lockAccountExclusively(id);
        else exists = await tx.lockAccount(id);
      }
      await tx.lockDialog(userId, blockedId);
      if ((await blocks(userId, blockedId, transaction)) || !exists) return;
      await Block.create({ userId, blockedId }, { transaction });
    });
  }

  private notifyOwnDevices(userId: number, item: { userId: number; blocked: boolean }): void {
    this.options.delivery.publishSignal({ kind: "block", item, recipientIds: [userId] });
  }
}
