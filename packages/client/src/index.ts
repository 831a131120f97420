/** The client of the messenger. */

export type { MentionList } from "./account.ts";
export { type Attention, attentionOf, isAlert } from "./attention.ts";
export type { Chat, ChatSummary } from "./chat.ts";
export type { ConnectionStatus, EndReason } from "./connection.ts";
export { type ClientErrorCode, MessengerError } from "./errors.ts";
export type { MessengerEvent } from "./events.ts";
export type { FileLinks } from "./file-links.ts";
export type { Fetch, FetchResponse } from "./http.ts";
export { indexedDb } from "./indexed-db.ts";
export type { Log } from "./log.ts";
export type { Member } from "./members.ts";
export { isMentioned, type MentionedPeople } from "./mentions.ts";
export type { Message, OutgoingMessage } from "./message.ts";
export type { HandleMessage } from "./message-handler.ts";
export { Messenger, type MessengerOptions, type StorageStatus } from "./messenger.ts";
export type { Observable } from "./observable.ts";
export type { Destination, Refusal } from "./outbox.ts";
export type { People } from "./people.ts";
export type { StatePatch } from "./personal-state.ts";
export type { PersonPresence } from "./presence.ts";
export type * from "./protocol.ts";
export type { MessageHit, MessageHits, SearchOptions } from "./search.ts";
export { type Json, memory, type Store, type Write } from "./store.ts";
export type { Timeline, TimelineStart, TimelineValue } from "./timeline.ts";
export type { Answer, WebSocketClass, WebSocketLike } from "./transport.ts";
export type { FileToSend, Upload } from "./uploads.ts";
