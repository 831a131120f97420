import type { Chat } from "./chat.ts";
import type { Message } from "./message.ts";
import type { Requests, SearchResult } from "./protocol.ts";

/** What narrows a search: one chat, one sender, times (ISO 8601). `cursor` is that of the page before. */
export type SearchOptions = Partial<Omit<Requests["searchMessages"]["params"], "query">>;

/** A message that a search has found. `chat.timeline({ at: { seq } })` shows it among its neighbours. */
export interface MessageHit {
  readonly chat: Chat;
  /** As it was when it was found: it does not follow later changes. */
  readonly message: Message;
  /** Where the words are in its text: offset and length in UTF-16 units. */
  readonly highlights: readonly (readonly number[])[];
}

/** A page of what a search has found, the newest messages first. */
export interface MessageHits extends SearchResult {
  readonly hits: readonly MessageHit[];
}
