import { signal } from "@preact/signals";
import { navigate } from "../routing.ts";

/** The message that its chat has to show once it is open. */
export const requestedMessage = signal<{ chatId: number; seq: number } | undefined>(undefined);

/** Opens a chat at one of its messages. */
export function openMessage(target: { chatId: number; seq: number }): void {
  requestedMessage.value = target;
  navigate(`/chats/${target.chatId}`);
}
