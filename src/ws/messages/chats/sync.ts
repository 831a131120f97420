import { avatarId, chatId, counter, groupId, groupName, id, nothing, time, userId } from "../../../contract/fields.ts";
import { exampleItem, memberRole, messageItem } from "../../../contract/messages.ts";
import { stateKey, stateValue } from "../../../contract/personal-state.ts";
import {
  described,
  exactly,
  flag,
  integer,
  integers,
  list,
  named,
  nullable,
  object,
  oneOf,
  optional,
  pair,
  text,
} from "../../../contract/schema.ts";
import { AppError } from "../../../errors.ts";
import type { ChangedChat, KnownChat, LeftChat } from "../../../services/chats/sync.ts";
import { itemBytes, toMessageItem } from "../../message-item.ts";
import { type BufferedPush, defineMessage } from "../../message-type.ts";

const chat = object({
  chatId: chatId(),
  kind: named("ChatKind", oneOf("dialog", "group"), "Whether a chat is a dialog of two users or a group."),
  groupId: optional(groupId()),
  groupName: optional(groupName()),
  role: optional(described(memberRole, "Your role, in a group.")),
  memberCount: optional(described(counter(), "The number of members, in a group.")),
  userId: optional(described(userId(), "The other person, in a dialog.")),
  userName: optional(described(text({ max: 64 }), "First name of the other person, in a dialog.")),
  userLastName: optional(nullable(text({ max: 64 }))),
  avatarId: optional(
    described(avatarId(), "Id of the avatar of the group, or of the other person; absent without one."),
  ),
  version: described(counter(), "The version you have after applying this entry."),
  lastSeq: counter(),
  readSeq: counter(),
  unread: described(counter(), "The number of messages after `readSeq`."),
  mentions: described(counter(), "How many of them mention you, or everybody; at most 99."),
  clearedSeq: described(counter(), "Messages up to this `seq` are hidden from you."),
  peerReadSeq: optional(
    described(
      counter(),
      "The read position of the other person, in a dialog. Absent while one of you blocks the other.",
    ),
  ),
  messages: described(
    list(messageItem),
    "Changed messages in the order of `version`. Each replaces the message you have with the same `seq`, and the preview of it in replies. May contain changes of messages up to `clearedSeq`, for those previews.",
  ),
  joined: optional(described(exactly(true), "This chat was not in your request.")),
  tooLong: optional(
    described(
      exactly(true),
      "Too many changes, or more messages than `newest`: discard this chat's stored messages. `messages` holds its newest ones.",
    ),
  ),
  reset: optional(
    described(
      exactly(true),
      "The server's data was restored: discard this chat's stored messages. `messages` holds its newest ones.",
    ),
  ),
});

const stateDifference = object({
  version: described(counter(), "The `stateVersion` you have after applying this."),
  entries: described(
    list(pair(stateKey(), stateValue())),
    "The keys that have changed, as [key, value], in the order of their changes; `null` for a removed key.",
  ),
  reset: optional(
    described(exactly(true), "You know another history, or missed removals too long ago: forget all keys first."),
  ),
});

export const sync = defineMessage({
  type: "sync",
  summary:
    "Synchronize after any absence. You send the state of each chat you have; the answer holds exactly what differs. Pushes are buffered until the answer is sent and continue where it ends. If `hasMore` is true, repeat the request with your new state. Sending a message also marks the chat as read up to that message. If your chats do not fit into one frame (32 KiB), send several requests, each with a `range`.",
  params: object({
    chats: described(
      list(integers([id(), counter(), counter(), counter(), counter()], { optional: 2 }), { max: 1000 }),
      "One entry per chat you have: [chatId, version, readSeq, clearedSeq, peerReadSeq]. The last two are optional.",
    ),
    range: optional(
      described(
        integers([id(), id()], { optional: 0 }),
        "Compare only chats whose id is between these two, inclusive.",
      ),
    ),
    epoch: optional(
      described(text({ max: 64 }), "The `epoch` of the answer in which you received what you know of these chats."),
    ),
    newest: optional(
      described(
        integer({ min: 0, max: 50 }),
        "How many of the newest messages you want of each chat that you did not list, that changed too much, or that is reset. By default 50, and all up to 500 of a chat that you did not list.",
      ),
    ),
    stateVersion: optional(
      described(counter(), "The version of the personal state that you have, or 0. Without it, you get no `state`."),
    ),
  }),
  data: nothing(),
  item: named(
    "SyncResult",
    object({
      chats: described(
        list(named("SyncChat", chat, "A chat that differs from the state you sent.")),
        "Chats that differ from your state, by ascending `chatId`.",
      ),
      left: described(list(chatId()), "Chats in your request that you are no longer a member of."),
      state: optional(
        named("StateDifference", stateDifference, "What differs in your personal state from the version you sent."),
      ),
      hasMore: flag(),
      epoch: described(
        text({ max: 64 }),
        "Identifies the history of the server's data. If it is another one than you know, the data was restored: forget all versions and messages, but not what you have to send.",
      ),
      userId: described(userId(), "Your own id."),
      serverTime: time(),
    }),
    "What differs from the state you sent.",
  ),
  readOnly: true,
  errors: [],
  example: {
    params: { chats: [[1, 11, 11, 0, 10]] },
    data: null,
    item: {
      chats: [
        {
          chatId: 1,
          kind: "dialog",
          userId: 2,
          userName: "Patrick1",
          userLastName: null,
          version: 12,
          lastSeq: 12,
          readSeq: 11,
          unread: 1,
          mentions: 0,
          clearedSeq: 0,
          peerReadSeq: 12,
          messages: [exampleItem({ senderId: 2, senderName: "Patrick1", receiverId: 1, message: "Hi" })],
        },
      ],
      left: [],
      hasMore: false,
      epoch: "5f2b8c0e9a1d4e7f8b6c3a2d1e0f9a8b",
      userId: 1,
      serverTime: "2023-07-28T13:20:10.114Z",
    },
    prepare: ({ dialogId }) => ({ chats: [[dialogId, 0, 0, 0, 0]], range: [dialogId, dialogId] }),
  },
  async handle({ user, services, socket }, { chats, range, epoch: knownEpoch, newest, stateVersion }) {
    const known = chats.map(toKnown);
    if (new Set(known.map(({ chatId: id }) => id)).size < known.length) {
      throw new AppError("validation", '"chats" must not contain a chat twice', { field: "chats" });
    }
    const [fromChatId = 1, toChatId = Number.MAX_SAFE_INTEGER] = range ?? [];
    const endBuffering = socket.bufferPushes();
    const scope = { userId: user.userId, fromChatId, toChatId };
    const request = { scope, known: { chats: known, epoch: knownEpoch }, newest, stateVersion };
    const {
      chats: changed,
      left,
      cutAt,
      state,
      epoch,
      time: serverTime,
    } = await services.sync.sync(request, itemBytes);
    endBuffering({
      isNewerThanSnapshot: newerThan({ known, changed, left, cutAt, toChatId }),
      versions: new Map(changed.map((chat) => [chat.chatId, chat.version])),
    });
    return {
      data: null,
      item: {
        chats: changed.map(toChat),
        left: left.map((chat) => chat.chatId),
        ...(state && {
          state: { version: state.version, entries: state.entries, ...(state.isReset && { reset: true as const }) },
        }),
        hasMore: cutAt !== undefined || state?.hasMore === true,
        epoch,
        userId: user.userId,
        serverTime: serverTime.toISOString(),
      },
    };
  },
});

/** Selects the buffered pushes that neither this answer nor the next page contains. */
function newerThan(answer: {
  known: KnownChat[];
  changed: ChangedChat[];
  left: LeftChat[];
  cutAt: number | undefined;
  toChatId: number;
}) {
  // In a chat that was left, only changes after the answer are newer: the user was added again.
  const positions = [...answer.known, ...answer.changed, ...answer.left];
  const versions = new Map(positions.map(({ chatId: id, version }) => [id, version]));
  return ({ chatId: id, version }: BufferedPush): boolean => {
    if (id === undefined || version === undefined) return true;
    const comesWithNextPage = answer.cutAt !== undefined && id >= answer.cutAt && id <= answer.toChatId;
    return !comesWithNextPage && version > (versions.get(id) ?? 0);
  };
}

const toKnown = ([id = 0, version = 0, readSeq = 0, clearedSeq = 0, peerReadSeq]: number[]): KnownChat => ({
  chatId: id,
  version,
  readSeq,
  clearedSeq,
  peerReadSeq: peerReadSeq ?? null,
});

/** Whether the client has to discard what it has: it would have a gap. */
function isTooLong({ difference, messages, lastSeq, clearedSeq }: Omit<ChangedChat, "kind">): boolean {
  if (difference === "newest") return messages.length < lastSeq - clearedSeq;
  return difference === "tooLong";
}

const toChat = ({ kind, ...chat }: ChangedChat) => ({
  chatId: chat.chatId,
  kind,
  ...(chat.avatarId !== null && { avatarId: chat.avatarId }),
  ...(kind === "group"
    ? {
        groupId: chat.chatId,
        groupName: chat.groupName ?? "",
        role: chat.role,
        memberCount: chat.memberCount ?? 0,
      }
    : {
        userId: chat.peer?.id ?? 0,
        userName: chat.peer?.firstName ?? "",
        userLastName: chat.peer?.lastName ?? null,
        ...(chat.peerReadSeq !== null && { peerReadSeq: chat.peerReadSeq }),
      }),
  version: chat.version,
  lastSeq: chat.lastSeq,
  readSeq: chat.readSeq,
  unread: chat.lastSeq - chat.readSeq,
  mentions: chat.mentions,
  clearedSeq: chat.clearedSeq,
  messages: chat.messages.map(toMessageItem),
  ...(chat.knownVersion === null && { joined: true as const }),
  ...(isTooLong(chat) && { tooLong: true as const }),
  ...(chat.difference === "reset" && { reset: true as const }),
});
