import { pushFrame } from "../contract/frames.ts";
import type { Change, Signal } from "../domain/change.ts";
import type { ChatMessage } from "../domain/message.ts";
import type { Connections } from "./connections.ts";
import { toMessageItem } from "./message-item.ts";
import type { ChangeKind } from "./message-type.ts";
import { editMessage } from "./messages/messages/edit-message.ts";
import { messageTypes } from "./registry.ts";
import { serverPushes } from "./server-pushes.ts";
import { textFrame } from "./socket-writer.ts";

/** Returns a function that pushes a committed change to all devices of its recipients. */
export function deliverChangesTo(connections: Connections) {
  return ({ message, recipientIds, requester }: Change): void => {
    const { chatId, version } = message;
    connections.push(recipientIds, () => {
      const item = toMessageItem(message);
      const type = pushTypeOf(changeKindOf(message));
      const frame = pushFrame(type, { message: item.message, senderName: item.senderName, item });
      return { frame: textFrame(JSON.stringify(frame)), chatId, version, requester };
    });
  };
}

/** Returns a function that pushes a signal to all devices of its recipients. */
export function deliverSignalsTo(connections: Connections) {
  return ({ kind, item, recipientIds, requester }: Signal): void => {
    connections.push(recipientIds, () => {
      const frame = textFrame(JSON.stringify(pushFrame(pushTypeOf(kind), { message: null, senderName: null, item })));
      return { frame, requester, ...(kind === "typing" && { ephemeral: kind }) };
    });
  };
}

/** The kind of a change. System messages are never changed. */
function changeKindOf({ event, change, receiver }: ChatMessage): ChangeKind {
  if (event) return event.kind;
  if (change) return change.kind;
  return receiver ? "dialogMessage" : "groupMessage";
}

type DeclaredPush = NonNullable<(typeof messageTypes)[keyof typeof messageTypes]["push"]>;
type PushedKind = NonNullable<DeclaredPush["change"] | DeclaredPush["signal"]> | (typeof serverPushes)[number]["kind"];

const pushTypes = new Map<PushedKind, string>();
for (const { type, push } of Object.values(messageTypes)) {
  const kind = push?.change ?? push?.signal;
  if (kind) pushTypes.set(kind, push?.type ?? type);
}

for (const { type, kind } of serverPushes) pushTypes.set(kind, type);

/**
 * The type under which a change or signal is pushed. If no message type declares a kind, `get` does not compile. During an
 * upgrade, a process of the next version may store kinds that this one does not know: clients apply a change by its
 * version, whatever the type.
 */
function pushTypeOf(kind: ChangeKind | Signal["kind"]): string {
  return pushTypes.get(kind) ?? editMessage.type;
}
