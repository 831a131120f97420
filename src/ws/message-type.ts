import type { ErrorCode } from "../contract/error-codes.ts";
import type { MessageItem } from "../contract/messages.ts";
import type { Schema } from "../contract/schema.ts";
import type { ChatMessage } from "../db/queries/messages/messages.ts";
import type { Signal } from "../delivery/delivery.ts";
import type { Actor } from "../services/actor.ts";
import type { Groups } from "../services/groups/groups.ts";
import type { History } from "../services/messages/history.ts";
import type { ReadState } from "../services/chats/read-state.ts";
import type { Messages } from "../services/messages/messages.ts";
import type { Presence } from "../services/presence/presence-store.ts";
import type { Sync } from "../services/chats/sync.ts";
import type { Claims } from "../services/accounts/tokens.ts";
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
  /** The sender's access token. */
  token: string;
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
