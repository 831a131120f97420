import type { Database } from "../../db/connect.ts";
import { chatList, type ListedChat } from "../../db/queries/chats/chat-list.ts";
import {
  dialogMemberState,
  groupMemberState,
  type MemberState,
  memberState,
} from "../../db/queries/chats/member-state.ts";
import { messagesBySeq } from "../../db/queries/messages/messages.ts";
import type { ChatMessage } from "../../domain/message.ts";
import { noSuchUser, notInChat, notMember } from "../../domain-errors.ts";
import { User } from "../../models/index.ts";

/** Which rows of a list: page 1 is the newest. */
export interface Page {
  limit: number;
  page: number;
}

/** Which messages of a chat: before, after or around a `seq`. */
export interface PageRange {
  limit: number;
  before?: number | undefined;
  after?: number | undefined;
  around?: number | undefined;
}

/** Messages in a row. */
export interface MessagePage {
  messages: ChatMessage[];
  /** Whether there are more in the direction that was asked for; around a place, in either. */
  hasMore: boolean;
}

/** What was said, for reading. */
export class History {
  constructor(private readonly options: { database: Database }) {}

  /** The chats that a person is in now, each with its last message, newest first. */
  latestChats(userId: number, { limit, page }: Page): Promise<ListedChat[]> {
    return chatList(this.options.database, { userId, limit, offset: (page - 1) * limit });
  }

  /** The messages between two people, newest first; the other account may be deleted by now. */
  async dialog(userId: number, { receiverId, ...page }: Page & { receiverId: number }): Promise<ChatMessage[]> {
    const view = await dialogMemberState(this.options.database, { userId, otherId: receiverId });
    if (view) return this.pageOf(view, page);
    if ((await User.count({ where: { id: receiverId } })) === 0) throw noSuchUser();
    return [];
  }

  /** The messages of a group, newest first; members see all of it. */
  async group(userId: number, { groupId, ...page }: Page & { groupId: number }): Promise<ChatMessage[]> {
    const view = await groupMemberState(this.options.database, { groupId, userId });
    if (!view) throw notMember();
    return this.pageOf(view, page);
  }

  /** Messages of any chat of a person around a place in it, by rising `seq`; without a place, the newest. */
  async messages(userId: number, { chatId, ...place }: PageRange & { chatId: number }): Promise<MessagePage> {
    const view = await memberState(this.options.database, { chatId, userId });
    if (!view) throw notInChat();
    const { after, upTo, hasMore } = stretchOf(view, place);
    const messages = await messagesBySeq(this.options.database, { chatId, after, upTo });
    return { messages: messages.reverse(), hasMore };
  }

  /** Since `seq` has no gaps, a page is a range of it: page 1000 costs what page 1 costs. */
  private pageOf({ chatId, lastSeq, clearedSeq }: MemberState, { limit, page }: Page): Promise<ChatMessage[]> {
    const upTo = lastSeq - (page - 1) * limit;
    return messagesBySeq(this.options.database, { chatId, after: Math.max(upTo - limit, clearedSeq), upTo });
  }
}

/** The range of `seq` that a window shows: `after` itself is not in it, `upTo` is. */
function stretchOf({ lastSeq, clearedSeq }: MemberState, { limit, before, after, around }: PageRange) {
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
