import type { Entry, EntryState, Refusal } from "./outbox.ts";
import type { MessageItem } from "./protocol.ts";
import type { Upload, Uploads } from "./uploads.ts";

/** A message of a chat as it is shown. It does not change: a changed message is another object. */
export interface Message
  extends Partial<
      Pick<
        MessageItem,
        | "messageId"
        | "seq"
        | "version"
        | "clientMessageId"
        | "replyTo"
        | "event"
        | "change"
        | "reactions"
        | "mentions"
        | "mentionsAll"
        | "pinned"
        | "forwarded"
        | "files"
      >
    >,
    Pick<MessageItem, "senderId" | "senderName" | "senderLastName" | "notification"> {
  /** Stays the same while the message is sent and changed. For lists. */
  readonly key: string;
  readonly state: EntryState;
  readonly isMine: boolean;
  /** Empty once deleted. Of a system message: what `event` says for programs, in English. */
  readonly text: string;
  /** ISO 8601, UTC: by the server's clock once it is sent. */
  readonly createdAt: string;
  readonly editedAt: string | null;
  readonly deletedAt: string | null;
  /** The id of the message it replies to. */
  readonly replyToId?: number;
  /** The files of a message that is not sent yet. */
  readonly uploads?: readonly Upload[];
  /** Of a failed message: why it was refused. */
  readonly error?: Refusal;
  /** Of a failed message: sends it again. */
  retry?(): void;
  /** Of a failed message, and of one with files that is not sent yet: removes it. */
  discard?(): void;
}

interface Name {
  firstName: string;
  lastName: string | null;
}

/** @param name the current name of the sender */
export function sentMessage(item: MessageItem, myId: number | undefined, name: Name | undefined): Message {
  // What a newer server knows of a message stays in it.
  const { message: text, chatId: _, receiverId, groupId, groupName, duplicate, ...rest } = item;
  const isMine = item.senderId === myId;
  return {
    ...rest,
    key: isMine && item.clientMessageId !== undefined ? item.clientMessageId : String(item.messageId),
    state: "sent",
    isMine,
    text,
    ...(name && { senderName: name.firstName, senderLastName: name.lastName }),
    ...(item.replyTo && { replyToId: item.replyTo.messageId }),
  };
}

/** A message that is not sent yet. */
export function unsentMessage(
  { message, state, content }: Entry,
  me: Name & { id: number },
  actions: { retry(): void; discard(): void },
  uploads: Uploads,
): Message | undefined {
  if (!message) return undefined;
  const { clientMessageId, content: text, replyTo, forwardOf, files, writtenAt, mentions, mentionsAll } = message;
  return {
    key: clientMessageId,
    state,
    isMine: true,
    senderId: me.id,
    senderName: me.firstName,
    senderLastName: me.lastName,
    text,
    createdAt: new Date(writtenAt).toISOString(),
    editedAt: null,
    deletedAt: null,
    notification: false,
    clientMessageId,
    ...(mentions && { mentions }),
    ...(mentionsAll && { mentionsAll }),
    ...(replyTo !== undefined && { replyToId: replyTo }),
    ...(forwardOf && { forwarded: forwardOf.author }),
    ...(files && { uploads: files.map((file) => uploads.shown(file)), discard: actions.discard }),
    ...(state === "failed" && { ...(content.failure && { error: content.failure }), ...actions }),
  };
}

/** A message that `send` has written. Its properties follow what happens to it. */
export class OutgoingMessage {
  constructor(
    private readonly entry: Entry,
    private readonly actions: {
      retry(): void;
      discard(): boolean;
      toMessage(item: MessageItem): Message;
    },
  ) {
    void this.follow();
  }

  private item: MessageItem | undefined;

  get state(): Message["state"] {
    return this.item ? "sent" : this.entry.state;
  }

  get text(): string {
    return this.item?.message ?? this.entry.message?.content ?? "";
  }

  get clientMessageId(): string {
    return this.entry.message?.clientMessageId ?? "";
  }

  get messageId(): number | undefined {
    return this.item?.messageId;
  }

  get seq(): number | undefined {
    return this.item?.seq;
  }

  /** Why the server refused it. */
  get error(): Refusal | undefined {
    return this.entry.content.failure;
  }

  /** Resolves when the message is in the store: from then on it is sent, or shown as failed, whatever happens. */
  get stored(): Promise<void> {
    return this.entry.storing.promise;
  }

  /** Resolves with the message of the server. Rejects with a `MessengerError` if the server refused it, or `DISCARDED`. */
  get sent(): Promise<Message> {
    const sent = this.entry.sending.promise.then((item) => this.actions.toMessage(item as MessageItem));
    // Not everybody waits for it.
    sent.catch(() => {});
    return sent;
  }

  /** Sends a failed message again. */
  retry(): void {
    this.actions.retry();
    void this.follow();
  }

  /** Removes a message that was not sent. @returns false if it may have been sent already */
  discard(): boolean {
    return this.actions.discard();
  }

  private async follow(): Promise<void> {
    this.item = await this.entry.sending.promise.catch(() => undefined);
  }
}
