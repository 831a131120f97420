import { isIds, isRecord } from "../bus/bus.ts";
import type { Change, Signal } from "../domain/change.ts";
import type { ChatMessage } from "../domain/message.ts";

/*
 * Changes and signals as another process told them: JSON, in which times are text. What does not look like ours is
 * dropped, and found in the database; the bus itself is trusted as much as that.
 */

/** A change that another process has committed; undefined for anything else. */
export function decodeChange(body: unknown): Change | undefined {
  if (!isRecord(body) || !isIds(body.recipientIds) || !isMessage(body.message)) return undefined;
  const { message, recipientIds } = body;
  const { replyTo, createdAt, editedAt, deletedAt } = message;
  return {
    message: {
      ...message,
      replyTo: replyTo && { ...replyTo, deletedAt: time(replyTo.deletedAt) },
      createdAt: new Date(createdAt),
      editedAt: time(editedAt),
      deletedAt: time(deletedAt),
    },
    recipientIds,
  };
}

/** A signal of another process; undefined for anything else. */
export function decodeSignal(body: unknown): Signal | undefined {
  if (!isRecord(body) || !isIds(body.recipientIds) || !isSignal(body)) return undefined;
  return body;
}

const time = (text: Date | null): Date | null => text && new Date(text);

const isPerson = (value: unknown): boolean =>
  isRecord(value) && Number.isSafeInteger(value.id) && typeof value.firstName === "string";

const isMessage = (value: unknown): value is ChatMessage =>
  isRecord(value) &&
  [value.id, value.chatId, value.seq, value.version].every(
    (number) => Number.isSafeInteger(number) && Number(number) > 0,
  ) &&
  isPerson(value.sender) &&
  (value.receiver === null || isPerson(value.receiver)) &&
  typeof value.content === "string" &&
  (value.event === null || isRecord(value.event)) &&
  (value.replyTo === null || (isRecord(value.replyTo) && isPerson(value.replyTo.sender))) &&
  [value.createdAt, value.editedAt ?? 0, value.deletedAt ?? 0].every(
    (moment) => !Number.isNaN(Date.parse(String(moment))),
  );

const signalKinds: readonly unknown[] = ["read", "cleared", "typing"] satisfies Signal["kind"][];

const isSignal = (value: Record<string, unknown>): value is Record<string, unknown> & Signal =>
  signalKinds.includes(value.kind) && isRecord(value.item) && Number.isSafeInteger(value.item.chatId);
