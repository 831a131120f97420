import type { Actor } from "../domain/actor.ts";
import type { Signal } from "../domain/change.ts";
import type { ChatMessage } from "../domain/message.ts";
import type { Claims } from "../domain/session.ts";
import type { ErrorCode } from "../contract/error-codes.ts";
import type { MessageItem } from "../contract/messages.ts";
import type { Schema } from "../contract/schema.ts";
import type { Groups } from "../services/groups/groups.ts";
import type { History } from "../services/messages/history.ts";
import type { ReadState } from "../services/chats/read-state.ts";
import type { Messages } from "../services/messages/messages.ts";
import type { Presence } from "../services/presence/presence-store.ts";
import type { Sync } from "../services/chats/sync.ts";
import type { Typing } from "../services/presence/typing.ts";

/** What handlers may call. */
export interface WsServices {
  messages: Messages;
  groups: Groups;
  history: History;
  readState: ReadState;
  typing: Typing;
  sync: Sync;
}

/** What a handler is given beside the params. */
export interface Context {
  /** Who asks, on this request. */
  user: Actor;
  services: WsServices;
  socket: SocketControl;
}

/** What a handler may do with the socket it was asked on. */
export interface SocketControl {
  /** Lets the socket go on under another token of the same person. */
  renew(token: string): Promise<Claims>;
  /** Holds pushes back from now on; after the answer those go out that are news after what it told. */
  bufferPushes(): (told: SyncSnapshot) => void;
  /** Tells from now on, on this socket, when one of these people comes or goes; replaces the ones before. */
  watchPresence(userIds: readonly number[]): Promise<Presence[]>;
}

/** Which change of which chat a push tells; signals have neither. */
export interface BufferedPush {
  chatId?: number;
  version?: number;
}

/** What an answer tells of chats, so that no push tells it again. */
export interface SyncSnapshot {
  /** Of what was held back until the answer: whether it is news. */
  isNewerThanSnapshot(push: BufferedPush): boolean;
  /** Up to which version the answer tells each chat. */
  versions: ReadonlyMap<number, number>;
}

/** What others hear under a type. */
export interface Push {
  /** Who hears it, completing the sentence "goes to ...". */
  to: string;
  /** Which changes of a chat are pushed under this type; their item is the message. */
  matches?: (message: ChatMessage) => boolean;
  /** Which signal is pushed under this type. */
  signal?: Signal["kind"];
  /** Where it is not the type of the request. */
  type?: string;
  /** Where it is neither the message nor the item of the answer. */
  item?: { schema: Schema<unknown>; example: object };
}

/** One type of message: what it takes and answers, what others hear of it, and what it does. All else follows. */
export interface MessageType<Params, Data, Item> {
  type: string;
  summary: string;
  params: Schema<Params>;
  /** Of `params.data` in the answer. */
  data: Schema<Data>;
  /** Of `params.item` in the answer. */
  item: Schema<Item>;
  push?: Push;
  /** The next frame of the socket may start before this one is answered. */
  pipelined?: true;
  /** Beyond those every type can have. */
  errors: readonly ErrorCode[];
  /** A request and its answer: shown in the documents, and held against the server in the tests. */
  example: { params: NoInfer<Params>; data: NoInfer<Data>; item: NoInfer<Item> };
  handle(context: Context, params: Params): Promise<{ data: NoInfer<Data>; item: NoInfer<Item> }>;
}

/** A message type whose handler is typed by its schemas. Its file and a line in the registry are all there is to it. */
export const defineMessage = <const Type extends string, P, D, I>(
  message: MessageType<P, D, I> & { type: Type },
): MessageType<P, D, I> & { type: Type } => message;

/**
 * Any message type, for those who treat all alike; what its handler is given has been checked against its own schema.
 * This is one of the two marked places where `any` is allowed.
 */
// biome-ignore lint/suspicious/noExplicitAny: a list of message types holds types of different params
export type AnyMessageType = MessageType<any, any, any>;

/** The answer to a durable change: the message it wrote, in the seed's frame around it. */
export const wrote = (item: MessageItem): { data: null; item: MessageItem } => ({ data: null, item });
