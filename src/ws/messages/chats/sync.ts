import { chatId, counter, groupId, groupName, id, nothing, userId } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { described, exactly, flag, integers, list, named, object, oneOf, optional } from "../../../contract/schema.ts";
import type { ChatMessage } from "../../../domain/message.ts";
import { AppError } from "../../../errors.ts";
import type { ChangedChat, KnownChat, LeftChat } from "../../../services/chats/sync.ts";
import { toMessageItem } from "../../message-item.ts";
import { type BufferedPush, defineMessage } from "../../message-type.ts";

const chat = object({
  chatId: chatId(),
  kind: named("ChatKind", oneOf("dialog", "group")),
  groupId: optional(groupId()),
  groupName: optional(groupName()),
  userId: optional(described(userId(), "The other person, in a dialog.")),
  version: described(counter(), "The version you have after applying this entry."),
  lastSeq: counter(),
  readSeq: counter(),
  clearedSeq: described(counter(), "Messages up to this `seq` are hidden from you."),
  peerReadSeq: optional(
    described(
      counter(),
      "The read position of the other person, in a dialog. Absent while one of you blocks the other.",
    ),
  ),
  messages: described(
    list(messageItem),
    "Changed messages in the order of `version`. Each replaces the message you have with the same `seq`.",
  ),
  joined: optional(described(exactly(true), "This chat was not in your request.")),
  tooLong: optional(
    described(
      exactly(true),
      "Too many changes: discard this chat's stored messages. `messages` holds its newest ones.",
    ),
  ),
  reset: optional(
    described(
      exactly(true),
      "The server was restored from a backup: discard this chat's stored messages. `messages` holds its newest ones.",
    ),
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
  }),
  data: nothing(),
  item: named(
    "SyncResult",
    object({
      chats: described(list(named("SyncChat", chat)), "Chats that differ from your state, by ascending `chatId`."),
      left: described(list(chatId()), "Chats in your request that you are no longer a member of."),
      hasMore: flag(),
    }),
  ),
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
          version: 12,
          lastSeq: 12,
          readSeq: 11,
          clearedSeq: 0,
          peerReadSeq: 12,
          messages: [exampleItem({ senderId: 2, senderName: "Patrick1", receiverId: 1, message: "Hi" })],
        },
      ],
      left: [],
      hasMore: false,
    },
    prepare: ({ dialogId }) => ({ chats: [[dialogId, 0, 0, 0, 0]], range: [dialogId, dialogId] }),
  },
  async handle({ user, services, socket }, { chats, range }) {
    const known = chats.map(toKnown);
    if (new Set(known.map(({ chatId: id }) => id)).size < known.length) {
      throw new AppError("validation", '"chats" must not contain a chat twice');
    }
    const [fromChatId = 1, toChatId = Number.MAX_SAFE_INTEGER] = range ?? [];
    const endBuffering = socket.bufferPushes();
    const scope = { userId: user.userId, fromChatId, toChatId };
    const { chats: changed, left, cutAt } = await services.sync.sync(scope, known, sizeOf);
    endBuffering({
      isNewerThanSnapshot: newerThan({ known, changed, left, cutAt, toChatId }),
      versions: new Map(changed.map((chat) => [chat.chatId, chat.version])),
    });
    return {
      data: null,
      item: { chats: changed.map(toChat), left: left.map((chat) => chat.chatId), hasMore: cutAt !== undefined },
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

const sizeOf = (message: ChatMessage): number => Buffer.byteLength(JSON.stringify(toMessageItem(message)));

const toChat = ({ kind, ...chat }: ChangedChat) => ({
  chatId: chat.chatId,
  kind,
  ...(kind === "group"
    ? { groupId: chat.chatId, groupName: chat.groupName ?? "" }
    : { userId: chat.peerId ?? 0, ...(chat.peerReadSeq !== null && { peerReadSeq: chat.peerReadSeq }) }),
  version: chat.version,
  lastSeq: chat.lastSeq,
  readSeq: chat.readSeq,
  clearedSeq: chat.clearedSeq,
  messages: chat.messages.map(toMessageItem),
  ...(chat.knownVersion === null && { joined: true as const }),
  ...(chat.difference === "tooLong" && { tooLong: true as const }),
  ...(chat.difference === "reset" && { reset: true as const }),
});
