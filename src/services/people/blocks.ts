import type { Person } from "../../domain/person.ts";
import { blockedPeople } from "../../db/queries/people/blocked-people.ts";
import type { Database } from "../../db/connect.ts";
import { AppError } from "../../errors.ts";
import { Block } from "../../models/index.ts";
import type { ChatWriter } from "../../writes/chat-transaction.ts";
import type { ReadState } from "../chats/read-state.ts";
import { noSuchUser } from "../../domain-errors.ts";

/** Who does not want to hear from whom. To the one who is blocked, the other answers like a user that does not exist. */
export class Blocks {
  /** @param options.onChange one of these two blocks the other from now on, or no longer */
  constructor(
    private readonly options: {
      database: Database;
      chatWriter: ChatWriter;
      marks: ReadState;
      onChange: (pair: [number, number]) => void;
    },
  ) {}

  list(userId: number): Promise<Person[]> {
    return blockedPeople(this.options.database, userId);
  }

  /**
   * Blocks someone. The locks it takes are those that a send to the blocker takes: what is not stored before the
   * answer is refused after it.
   */
  async block(userId: number, blockedId: number): Promise<void> {
    if (userId === blockedId) throw new AppError("validation", '"userId" must not be your own');
    await this.options.chatWriter.commit(undefined, async (tx) => {
      const { transaction } = tx;
      // By rising id, as everywhere: two people may block each other at once.
      let exists = false;
      for (const id of [userId, blockedId].sort((a, b) => a - b)) {
        if (id === userId) await tx.lockAccountExclusively(id);
        else exists = await tx.lockAccount(id);
      }
      if (!exists) throw noSuchUser();
      await tx.lockDialog(userId, blockedId);
      await Block.bulkCreate([{ userId, blockedId }], { ignoreDuplicates: true, transaction });
    });
    this.options.onChange([userId, blockedId]);
  }

  /** Lifts a block; also where there is none. */
  async unblock(userId: number, blockedId: number): Promise<void> {
    await Block.destroy({ where: { userId, blockedId } });
    this.options.onChange([userId, blockedId]);
    await this.options.marks.shareReadPositions(userId, blockedId);
  }
}
