import { chatId, counter, groupId, groupName, id, nothing, userId } from "../../../contract/fields.ts";
import { exampleItem, messageItem } from "../../../contract/messages.ts";
import { described, exactly, flag, integers, list, object, oneOf, optional } from "../../../contract/schema.ts";
import type { ChatMessage } from "../../../db/queries/messages/messages.ts";
import { AppError } from "../../../errors.ts";
import type { ChangedChat, KnownChat, LeftChat } from "../../../services/chats/sync.ts";
import { defineMessage, type BufferedPush } from "../../message-type.ts";
import { toMessageItem } from "../../message-item.ts";

const chat = object({
  chatId: chatId(),
  kind: oneOf("dialog", "group"),
  groupId: optional(groupId()),
  groupName: optional(groupName()),
  userId: optional(described(userId(), "In a dialog: the other side.")),
  version: described(counter(), "What you know once you have taken this in."),
  lastSeq: counter(),
  readSeq: counter(),
  clearedSeq: described(counter(), "Messages up to here are hidden from you."),
  peerReadSeq: optional(
    described(counter(), "In a dialog: how far the other side has read; left out while one of you blocks the other."),
  ),
  messages: described(list(messageItem), "Each replaces what you have under its `seq`; in the order of `version`."),
  joined: optional(described(exactly(true), "You did not have this chat.")),
  tooLong: optional(
    described(exactly(true), "Too much has changed: drop what you have of this chat, `messages` are its newest."),
  ),
  reset: optional(
    described(exactly(true), "The server was restored: drop what you have of this chat, `messages` are its newest."),
  ),
});

export const sync = defineMessage({
  type: "sync",
  summary:
    "Catch up after any absence: say what you know of each chat, and learn exactly what differs. Pushes wait for the answer, and go on after it where it ended. With `hasMore`, ask again with what you know then. Whoever writes has read up to there. A request of very many chats may not fit a frame (32 KiB): ask in ranges.",
  params: object({
    chats: described(
      list(integers([id(), counter(), counter(), counter(), counter()], { optional: 2 }), { max: 1000 }),
      "For each chat you have: [chatId, version, readSeq, clearedSeq, peerReadSeq]; the last two may be left out.",
    ),
    range: optional(
      described(integers([id(), id()], { optional: 0 }), "Look only at chats from this id to that one, both included."),
    ),
  }),
  data: nothing(),
  item: object({
    chats: described(list(chat), "The chats in which something differs, by rising `chatId`."),
    left: described(list(chatId()), "Chats you have and are not in any more."),
    hasMore: flag(),
  }),
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
    if (new Set(known.map((one) => one.chatId)).size < known.length) {
      throw new AppError("validation", '"chats" must not name a chat twice');
    }
    const [fromChatId = 1, toChatId = Number.MAX_SAFE_INTEGER] = range ?? [];
    const release = socket.bufferPushes();
    const scope = { userId: user.userId, fromChatId, toChatId };
    const { chats: changed, left, cutAt } = await services.sync.sync(scope, known, sizeOf);
    release({
      isNewerThanSnapshot: isNews({ known, changed, left, cutAt, toChatId }),
      versions: new Map(changed.map((chat) => [chat.chatId, chat.version])),
    });
    return {
      data: null,
      item: { chats: changed.map(toChat), left: left.map((chat) => chat.chatId), hasMore: cutAt !== undefined },
    };
  },
});

/** Of what was held back: what the answer does not hold, and what no further answer will. */
function isNews(told: {
  known: KnownChat[];
  changed: ChangedChat[];
  left: LeftChat[];
  cutAt: number | undefined;
  toChatId: number;
}) {
  // Of a chat that was left, only what came after the answer's moment is news: that one was taken in again.
  const moments = [...told.known, ...told.changed, ...told.left];
  const versions = new Map(moments.map(({ chatId: id, version }) => [id, version]));
  return ({ chatId: id, version }: BufferedPush): boolean => {
    if (id === undefined || version === undefined) return true;
    const comesWithTheRest = told.cutAt !== undefined && id >= told.cutAt && id <= told.toChatId;
    return !comesWithTheRest && version > (versions.get(id) ?? 0);
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

const toChat = ({ kind, ...found }: ChangedChat) => ({
  chatId: found.chatId,
  kind,
  ...(kind === "group"
    ? { groupId: found.chatId, groupName: found.groupName ?? "" }
    : { userId: found.peerId ?? 0, ...(found.peerReadSeq !== null && { peerReadSeq: found.peerReadSeq }) }),
  version: found.version,
  lastSeq: found.lastSeq,
  readSeq: found.readSeq,
  clearedSeq: found.clearedSeq,
  messages: found.messages.map(toMessageItem),
  ...(found.knownVersion === null && { joined: true as const }),
  ...(found.difference === "tooLong" && { tooLong: true as const }),
  ...(found.difference === "reset" && { reset: true as const }),
});
