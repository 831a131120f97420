import type { Requester } from "./actor.ts";
import type { ChatMessage } from "./message.ts";
import type { StateEntry } from "./personal-state.ts";

/** A committed change of a chat and the users who receive it. */
export interface Change {
  message: ChatMessage;
  recipientIds: readonly number[];
  requester?: Requester | undefined;
}

/**
 * What is published without being a change of the chat's messages: read and cleared positions, typing, changed names,
 * blocks and personal state.
 */
export type Signal = { recipientIds: readonly number[]; requester?: Requester | undefined } & (
  | { kind: "read"; item: { chatId: number; userId: number; readSeq: number } }
  | { kind: "cleared"; item: { chatId: number; clearedSeq: number; readSeq: number } }
  | { kind: "typing"; item: { chatId: number; userId: number; ttlMs: number } }
  | { kind: "profile"; item: { userId: number; firstName: string; lastName: string | null; avatarId?: string } }
  | { kind: "block"; item: { userId: number; blocked: boolean } }
  | { kind: "state"; item: StateEntry }
);
