import type { ErrorCode } from "../contract/error-codes.ts";
import type { MessageItem } from "../contract/messages.ts";
import type { Schema } from "../contract/schema.ts";
import type { ChatMessage } from "../db/queries/messages.ts";
import type { Actor } from "../services/actor.ts";
import type { Groups } from "../services/groups.ts";
import type { History } from "../services/history.ts";
import type { Messages } from "../services/messages.ts";
import type { Claims } from "../services/tokens.ts";

/** What handlers may call. */
export interface WsServices {
  messages: Messages;
  groups: Groups;
  history: History;
}

/** What a handler is given beside the params. */
export interface Context {
  /** Who asks, on this request. */
  user: Actor;
  services: WsServices;
  /** Lets this socket go on under another token of the same person. */
  renew: (token: string) => Promise<Claims>;
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
  /** Which committed messages are pushed under this type, and a sentence on who gets them. */
  push?: { matches: (message: ChatMessage) => boolean; to: string };
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
