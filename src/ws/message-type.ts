import type { ErrorCode } from "../contract/error-codes.ts";
import type { MessageItem } from "../contract/messages.ts";
import type { Schema } from "../contract/schema.ts";
import type { Actor } from "../domain/actor.ts";
import type { Signal } from "../domain/change.ts";
import type { ChatMessage, MessageChange } from "../domain/message.ts";
import type { RateLimitName } from "../domain/rate-limit.ts";
import type { Claims } from "../domain/session.ts";
import type { ReadState } from "../services/chats/read-state.ts";
import type { Sync } from "../services/chats/sync.ts";
import type { Groups } from "../services/groups/groups.ts";
import type { Forwarding } from "../services/messages/forwarding.ts";
import type { History } from "../services/messages/history.ts";
import type { Mentions } from "../services/messages/mentions.ts";
import type { Messages } from "../services/messages/messages.ts";
import type { Pins } from "../services/messages/pins.ts";
import type { Reactions } from "../services/messages/reactions.ts";
import type { Presence } from "../services/presence/presence-store.ts";
import type { Typing } from "../services/presence/typing.ts";
import type { MessageSearch } from "../services/search/message-search.ts";
import type { PersonalState } from "../services/state/personal-state.ts";

/** The services that handlers may call. */
export interface WsServices {
  messages: Messages;
  forwarding: Forwarding;
  reactions: Reactions;
  pins: Pins;
  mentions: Mentions;
  groups: Groups;
  history: History;
  readState: ReadState;
  typing: Typing;
  search: MessageSearch;
  sync: Sync;
  state: PersonalState;
}

/** The context of a request, passed to its handler. */
export interface Context {
  /** The user who sent the request. */
  user: Actor;
  services: WsServices;
  socket: SocketControl;
}

/** What a handler may do with the socket of the request. */
export interface SocketControl {
  /** Continues the socket's session with another token of the same user. */
  renew(token: string): Promise<Claims>;
  /** Buffers pushes from now on. After the answer, those that are newer than its snapshot are sent. */
  bufferPushes(): (snapshot: SyncSnapshot) => void;
  /** Pushes changes of these users' presence to this socket from now on. Replaces the previous list. */
  watchPresence(userIds: readonly number[]): Promise<Presence[]>;
  /** Adds users to the watched ones, and removes others. Returns the presence of those added. */
  changeWatchedPresence(change: { add: readonly number[]; remove: readonly number[] }): Promise<Presence[]>;
}

/** Which change of which chat a push carries. Signals have neither. */
export interface BufferedPush {
  chatId?: number;
  version?: number;
}

/** The state of chats in a `sync` answer, so that no push repeats it. */
export interface SyncSnapshot {
  /** Whether a buffered push is newer than the answer. */
  isNewerThanSnapshot(push: BufferedPush): boolean;
  /** The version of each chat in the answer. */
  versions: ReadonlyMap<number, number>;
}

/** The kinds of committed changes. Each is pushed under the one message type that declares it. */
export type ChangeKind =
  | "dialogMessage"
  | "groupMessage"
  | MessageChange["kind"]
  | NonNullable<ChatMessage["event"]>["kind"];

/** What is pushed to other devices under this type. */
export interface Push<Change extends ChangeKind, SignalKind extends Signal["kind"]> {
  /** The recipients, completing the sentence "goes to ...". */
  to: string;
  /** The kind of change that is pushed under this type. The item is the message. */
  change?: Change;
  /** The signal that is pushed under this type. */
  signal?: SignalKind;
  /** The type of the push, if it differs from the type of the request. */
  type?: string;
  /** The item of the push, if it is neither the message nor the item of the answer. */
  item?: { schema: Schema<unknown>; example: object };
}

/** What exists when the test of the examples sends one: the sender owns the group and has a dialog with the peer. */
export interface ExampleScene {
  /** The other side of the dialog, and a member of the group. */
  peerId: number;
  /** A user who is not in the group. */
  outsiderId: number;
  dialogId: number;
  groupId: number;
  /** A message of the sender in the dialog. */
  messageId: number;
  /** A message of another chat of the sender, who reacts to it. */
  reactedMessageId: number;
  /** That chat. The sender has pinned another message of it. */
  pinnedChatId: number;
  /** The sender's access token. */
  token: string;
}

/** One message type: its params, answer, push and handler. Routing, validation and documents are derived from it. */
export interface MessageType<
  Params,
  Data,
  Item,
  Change extends ChangeKind = ChangeKind,
  SignalKind extends Signal["kind"] = Signal["kind"],
> {
  type: string;
  summary: string;
  params: Schema<Params>;
  /** Schema of `params.data` in the answer. */
  data: Schema<Data>;
  /** Schema of `params.item` in the answer. */
  item: Schema<Item>;
  push?: Push<Change, SignalKind>;
  /**
   * It stores nothing and pushes nothing to others. Users who have to confirm their e-mail address first may send only such
   * types.
   */
  readOnly?: true;
  /** The next pipelined request of the socket may start before this one is answered. */
  pipelined?: true;
  /** The rate limit that requests count against; if absent, that of changes or that of all other requests. */
  limit?: RateLimitName;
  /** One request of a socket within this time counts against no rate limit, in milliseconds. */
  uncountedEveryMs?: number;
  /** The error codes of this type, in addition to those every type can have. */
  errors: readonly ErrorCode[];
  /** A request and its answer: shown in the documents, and sent to a real server by `test/examples.test.ts`. */
  example: {
    params: NoInfer<Params>;
    data: NoInfer<Data>;
    item: NoInfer<Item>;
    /** The params with the ids of the test's scene; left out where those of the documents work everywhere. */
    prepare?: (scene: ExampleScene) => NoInfer<Params>;
  };
  handle(context: Context, params: Params): Promise<{ data: NoInfer<Data>; item: NoInfer<Item> }>;
}

/** Defines a message type whose handler is typed by its schemas. It also needs a line in `registry.ts`. */
export const defineMessage = <
  const Type extends string,
  P,
  D,
  I,
  const C extends ChangeKind = never,
  const S extends Signal["kind"] = never,
>(
  message: MessageType<P, D, I, C, S> & { type: Type },
): MessageType<P, D, I, C, S> & { type: Type } => message;

/**
 * Any message type, for code that handles all types alike. The params have been validated with the type's own schema.
 * This is one of the two marked places where `any` is allowed.
 */
// biome-ignore lint/suspicious/noExplicitAny: message types have different params
export type AnyMessageType = MessageType<any, any, any>;

/** The error codes of a type, besides those every type can have. */
export const errorsOf = ({ errors, readOnly }: AnyMessageType): readonly ErrorCode[] =>
  readOnly ? errors : [...new Set([...errors, "FORBIDDEN" as const])];

/** The answer to a durable change: the message that was written. */
export const wrote = (item: MessageItem): { data: null; item: MessageItem } => ({ data: null, item });
