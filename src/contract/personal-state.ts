import { AppError } from "../errors.ts";
import { counter, messageId, time } from "./fields.ts";
import {
  anyJson,
  check,
  described,
  either,
  exactly,
  finiteNumber,
  named,
  object,
  oneOf,
  optional,
  type Schema,
  text,
  textLike,
} from "./schema.ts";

/** The largest value, as UTF-8 JSON. */
export const maxValueBytes = 8 * 1024;
/** The largest draft, which holds any message. */
export const maxDraftBytes = 16 * 1024;

export const stateKey = () =>
  described(
    textLike(/^[a-z0-9:._-]{1,64}$/, "be 1 to 64 characters of a-z, 0-9 and :._-"),
    "`chat:ID`, `draft:ID` (with the id of a chat) or `preferences`.",
  );

export const chatSettings = named(
  "ChatSettings",
  object({
    level: optional(
      named(
        "ChatLevel",
        oneOf("all", "mentions", "none"),
        "What is counted and notified: all messages (as without it), mentions only, or nothing.",
      ),
    ),
    mutedUntil: optional(
      described(time(), "Muted until then; for ever is `9999-12-31T23:59:59.999Z`. Absent or past: not muted."),
    ),
    archivedSeq: optional(
      described(counter(), "Archived while the chat's last `seq` is not greater, or while the chat is muted."),
    ),
    pinned: optional(described(finiteNumber(), "The chat is shown above others, by rising numbers.")),
    markedUnread: optional(described(exactly(true), "Shown as unread until the chat is opened.")),
  }),
  "Your settings of a chat, under `chat:ID`.",
);

export const draft = named(
  "Draft",
  object({
    text: text({ min: 0, max: maxDraftBytes, blank: true }),
    replyTo: optional(described(messageId(), "The message that it replies to.")),
    updatedAt: time(),
  }),
  "A message that is not sent yet, under `draft:ID`.",
);

export const stateValue = () =>
  described(
    anyJson(either(chatSettings, draft)),
    "`ChatSettings` under `chat:ID`, `Draft` under `draft:ID`, any JSON under `preferences`; `null` removes the key. At most 8 KiB of UTF-8 JSON, a draft 16 KiB.",
  );

/** A kind of key: the rule of its values, and the chat that it belongs to. */
interface KnownKey {
  schema: Schema<unknown>;
  maxBytes: number;
  chatId?: number;
}

const chatKeys = {
  chat: { schema: chatSettings, maxBytes: maxValueBytes },
  draft: { schema: draft, maxBytes: maxDraftBytes },
};

/** What a key is for; undefined if it is not known. */
function knownKey(key: string): KnownKey | undefined {
  if (key === "preferences") return { schema: anyJson(), maxBytes: maxValueBytes };
  const [, kind, id] = /^(chat|draft):([1-9]\d{0,15})$/.exec(key) ?? [];
  if (id === undefined || !Number.isSafeInteger(Number(id))) return undefined;
  return { ...chatKeys[kind as keyof typeof chatKeys], chatId: Number(id) };
}

/** A key and its new value as JSON; null removes it. */
export interface NewState {
  key: string;
  json: string | null;
  /** The chat that the key belongs to; undefined also if the key is removed, which is allowed for any. */
  chatId?: number | undefined;
}

/**
 * Checks a value by the rule of its key.
 * @throws AppError of kind "validation"
 */
export function newState({ key, value }: { key: string; value: unknown }): NewState {
  if (value === null) return { key, json: null };
  const known = knownKey(key);
  if (!known) throw new AppError("validation", '"key" is none of the known keys', { field: "key" });
  check(known.schema, value, { label: "value" });
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) > known.maxBytes) {
    const message = `"value" must be at most ${known.maxBytes} bytes long as JSON`;
    throw new AppError("validation", message, { field: "value" });
  }
  return { key, json, chatId: known.chatId };
}
