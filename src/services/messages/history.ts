import type { Database } from "../../db/connect.ts";
import { chatList, type ListedChat } from "../../db/queries/chats/chat-list.ts";
import {
  dialogMemberState,
  groupMemberState,
  type MemberState,
  memberState,
} from "../../db/queries/chats/member-state.ts";
import { messagesBySeq } from "../../db/queries/messages/messages.ts";
import { mayKnow } from "../../db/queries/people/blocked-people.ts";
import type { ChatMessage } from "../../domain/message.ts";
import { noSuchUser, notInChat, notMember } from "../../domain-errors.ts";
import { rowsThatFit } from "./answer-size.ts";

/** A page of a list; page 1 holds the newest rows. */
export interface Page {
  limit: number;
  page: number;
}

/** A range of messages in a chat: before, after or around a `seq`; the newest ones if none is set. */
export interface PageRange {
  limit: number;
  before?: number | undefined;
  after?: number | undefined;
  around?: number | undefined;
}

/** Consecutive messages of a chat. */
export interface MessagePage {
  messages: ChatMessage[];
  /** Whether there are more in the requested direction; for `around`, in either direction. */
  hasMore: boolean;
}

/** Reads chats and their messages. */
export class History {
  constructor(private readonly options: { database: Database }) {}

  /** Returns the chats of a user, each with its last message, newest first. */
  latestChats(userId: number, { limit, page }: Page): Promise<ListedChat[]> {
    return chatList(this.options.database, { userId, limit, offset: (page - 1) * limit });
  }

  /** Returns the messages between two people, newest first. The other account may have been deleted. */
  async dialog(userId: number, { receiverId, ...page }: Page & { receiverId: number }): Promise<ChatMessage[]> {
    const state = await dialogMemberState(this.options.database, { userId, otherId: receiverId });
    if (state) return this.pageOf(userId, state, page);
    if (!(await mayKnow(this.options.database, { userId, otherId: receiverId }))) throw noSuchUser();
    return [];
  }

  /** Returns the messages of a group, newest first. Members see all of them. */
  async group(userId: number, { groupId, ...page }: Page & { groupId: number }): Promise<ChatMessage[]> {
    const state = await groupMemberState(this.options.database, { groupId, userId });
    if (!state) throw notMember();
    return this.pageOf(userId, state, page);
  }

  /**
   * Returns a range of the messages of a chat of any kind, by rising `seq`; less of it if it does not fit into one answer.
   * @param sizeOf the size of a message in the answer, in bytes
   */
  async messages(
    userId: number,
    { chatId, ...range }: PageRange & { chatId: number },
    sizeOf: (message: ChatMessage) => number,
  ): Promise<MessagePage> {
    const state = await memberState(this.options.database, { chatId, userId });
    if (!state) throw notInChat();
    const { after, upTo, hasMore } = boundsOf(state, range);
    const messages = await messagesBySeq(this.options.database, { chatId, readerId: userId, after, upTo });
    const nearestFirst = byDistance(messages, range);
    const fitting = rowsThatFit(nearestFirst, sizeOf);
    return {
      messages: fitting.sort((a, b) => a.seq - b.seq),
      hasMore: hasMore || fitting.length < messages.length,
    };
  }

  /** Since `seq` has no gaps, a page is a range of `seq`: page 1000 costs as much as page 1. */
  private pageOf(
    readerId: number,
    { chatId, lastSeq, clearedSeq }: MemberState,
    { limit, page }: Page,
  ): Promise<ChatMessage[]> {
    const upTo = lastSeq - (page - 1) * limit;
    const after = Math.max(upTo - limit, clearedSeq);
    return messagesBySeq(this.options.database, { chatId, readerId, after, upTo });
  }
}

/** Returns the messages of a range, those nearest to its cursor first. `messages` has the newest ones first. */
function byDistance(messages: readonly ChatMessage[], { after, around }: PageRange): readonly ChatMessage[] {
  if (after !== undefined) return [...messages].reverse();
  if (around === undefined) return messages;
  return [...messages].sort((a, b) => Math.abs(a.seq - around) - Math.abs(b.seq - around));
}

/** Returns the bounds of a range: `after` exclusive, `upTo` inclusive. */
function boundsOf({ lastSeq, clearedSeq }: MemberState, { limit, before, after, around }: PageRange) {
  const within = (seq: number) => Math.min(Math.max(seq, clearedSeq), lastSeq);
  if (after !== undefined) {
    const from = within(after);
    const upTo = within(from + limit);
    return { after: from, upTo, hasMore: upTo < lastSeq };
  }
  if (around !== undefined) {
    const from = within(around - Math.ceil(limit / 2));
    const upTo = within(from + limit);
    return { after: from, upTo, hasMore: from > clearedSeq || upTo < lastSeq };
  }
  const upTo = before === undefined ? lastSeq : within(before - 1);
  const from = within(upTo - limit);
  return { after: from, upTo, hasMore: from > clearedSeq };
}
