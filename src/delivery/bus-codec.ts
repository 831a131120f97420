import { type Topic, topic } from "../bus/topic.ts";
import { counter, id, seq, time, version } from "../contract/fields.ts";
import {
  anyJson,
  either,
  flag,
  type Infer,
  idList,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  type Schema,
  text,
} from "../contract/schema.ts";
import type { Change, Signal } from "../domain/change.ts";
import { eventKinds } from "../domain/event.ts";
import type { FileInfo } from "../domain/file.ts";
import { changeKinds, type Mention, type MessageChange, type MessageEvent, type Reaction } from "../domain/message.ts";

/*
 * What the processes publish to each other. Bodies travel as JSON, so times arrive as text. Texts are not limited here:
 * the process that stored them has checked them.
 */

const anyText = () => text({ min: 0, max: Number.MAX_SAFE_INTEGER, blank: true });

const person = object({ id: id(), firstName: anyText(), lastName: nullable(anyText()) });

const event = object({
  kind: oneOf(...eventKinds),
  byUserId: id(),
  userId: optional(id()),
  groupName: optional(anyText()),
  role: optional(oneOf("admin", "member")),
  avatarId: optional(anyText()),
  memberIds: optional(list(id())),
  subject: nullable(person),
} satisfies Record<keyof MessageEvent, unknown>);

const messageChange = object({
  kind: oneOf(...changeKinds),
  by: nullable(id()),
  emoji: optional(anyText()),
  on: optional(flag()),
} satisfies Record<keyof MessageChange, unknown>);

const reaction = object({
  emoji: anyText(),
  count: counter(),
  userIds: idList(),
} satisfies Record<Exclude<keyof Reaction, "mine">, unknown>);

const file = object({
  id: anyText(),
  name: anyText(),
  size: counter(),
  mediaType: anyText(),
  width: nullable(counter()),
  height: nullable(counter()),
  thumbHash: nullable(anyText()),
} satisfies Record<keyof FileInfo, unknown>);

const mention = object({ userId: id(), offset: counter(), length: counter() } satisfies Record<keyof Mention, unknown>);

const repliedMessage = object({
  id: id(),
  seq: optional(seq()),
  sender: person,
  content: anyText(),
  event: nullable(event),
  groupName: nullable(anyText()),
  deletedAt: nullable(time()),
});

const message = object({
  id: id(),
  chatId: id(),
  seq: seq(),
  version: version(),
  sender: person,
  receiver: nullable(person),
  groupName: nullable(anyText()),
  content: anyText(),
  event: nullable(event),
  clientMessageId: nullable(anyText()),
  replyTo: nullable(repliedMessage),
  change: nullable(messageChange),
  // Absent in a change that a process of an earlier version has published.
  reactions: optional(list(reaction)),
  mentions: optional(list(mention)),
  mentionsAll: optional(flag()),
  pinned: optional(nullable(object({ by: id(), at: time() }))),
  firstAuthor: optional(nullable(person)),
  files: optional(list(file)),
  createdAt: time(),
  editedAt: nullable(time()),
  deletedAt: nullable(time()),
});

const recipientIds = list(id());
/** The epoch of the sending process. Absent in what a process of an earlier version has published. */
const epoch = optional(anyText());
const encodedChange = object({ message, recipientIds, epoch });
const encodedChangeTopic = topic("change", encodedChange);

/**
/**
 * Whether a process of an earlier version has changed a message without knowing its reactions, mentions or files, or whether
 * it was forwarded: then it is read from the store.
 */
const isIncomplete = ({ change, reactions, mentions, files, firstAuthor }: Infer<typeof message>): boolean =>
  change !== null &&
  (reactions === undefined || mentions === undefined || files === undefined || firstAuthor === undefined);

/** What belongs to one history of the database. */
export interface OfEpoch {
  epoch?: string | undefined;
}

/** Committed changes. */
export const changeTopic: Topic<Change & OfEpoch> = {
  name: encodedChangeTopic.name,
  decode(body) {
    const encoded = encodedChangeTopic.decode(body);
    if (!encoded || isIncomplete(encoded.message)) return undefined;
    return toChange(encoded);
  },
};

const signalOf = <const Kind extends Signal["kind"], Item extends object>(kind: Kind, item: Schema<Item>) =>
  object({ kind: oneOf(kind), item, recipientIds, epoch });

/** Read and cleared positions, typing, changed names, blocks and personal state. */
export const signalTopic: Topic<Signal & OfEpoch> = topic(
  "signal",
  either(
    either(
      signalOf("read", object({ chatId: id(), userId: id(), readSeq: counter() })),
      signalOf("cleared", object({ chatId: id(), clearedSeq: counter(), readSeq: counter() })),
    ),
    either(
      signalOf("typing", object({ chatId: id(), userId: id(), ttlMs: integer({ min: 0, max: 60_000 }) })),
      either(
        signalOf(
          "profile",
          object({ userId: id(), firstName: anyText(), lastName: nullable(anyText()), avatarId: optional(anyText()) }),
        ),
        either(
          signalOf("block", object({ userId: id(), blocked: flag() })),
          signalOf("state", object({ stateVersion: counter(), key: anyText(), value: anyJson() })),
        ),
      ),
    ),
  ),
);

function toChange({ message, recipientIds, epoch }: Infer<typeof encodedChange>): Change & OfEpoch {
  const {
    replyTo,
    reactions = [],
    mentions = [],
    mentionsAll = false,
    files = [],
    pinned,
    firstAuthor = null,
    createdAt,
    editedAt,
    deletedAt,
  } = message;
  return {
    message: {
      ...message,
      replyTo: replyTo && { ...replyTo, deletedAt: toDate(replyTo.deletedAt) },
      reactions,
      files,
      mentions,
      mentionsAll,
      pinned: pinned ? { ...pinned, at: new Date(pinned.at) } : null,
      firstAuthor,
      createdAt: new Date(createdAt),
      editedAt: toDate(editedAt),
      deletedAt: toDate(deletedAt),
    },
    recipientIds,
    epoch,
  };
}

const toDate = (time: string | null): Date | null => (time === null ? null : new Date(time));
