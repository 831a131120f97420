import type { Message } from "messenger-client";
import { useMemo } from "preact/hooks";
import { PersonAvatar } from "../avatars/avatars.tsx";
import { fullTimeOf, timeOf } from "../dates.ts";
import { messenger } from "../messenger.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { MessageFiles } from "./lazy-files.tsx";
import { Markdown } from "./markdown.tsx";
import { memo } from "./memo.ts";
import { mentionParts } from "./mention-text.ts";
import { plainText } from "./plain-text.ts";
import { ReactionBar } from "./reaction-bar.tsx";

/** How a message belongs to those around it. */
export interface RowPlace {
  /** It begins a group of messages of one sender. */
  startsGroup: boolean;
  /** The sender's name and avatar are shown: in groups, of others. */
  showsSender: boolean;
  /** It is the one that the tab key reaches. */
  isCurrent: boolean;
  isRead: boolean;
}

export interface RowActions {
  openMenu(message: Message, element: HTMLElement, at?: { x: number; y: number }): void;
  jumpTo(seq: number): void;
  react(message: Message, emoji: string, on: boolean): void;
}

interface MessageRowProps extends RowPlace {
  message: Message;
  actions: RowActions;
}

/** One message. */
export const MessageRow = memo((props: MessageRowProps) => {
  const { message, actions, startsGroup, showsSender, isCurrent } = props;
  if (message.notification) return <SystemMessage message={message} isCurrent={isCurrent} />;
  const { isMine, deletedAt, replyTo, forwarded, state } = message;
  const name = message.senderLastName ? `${message.senderName} ${message.senderLastName}` : message.senderName;
  const open = (element: HTMLElement, at?: { x: number; y: number }) => actions.openMenu(message, element, at);
  const classes = ["message", isMine ? "mine" : "theirs", startsGroup && "starts-group", showsSender && "shows-sender"];
  return (
    <article
      class={classes.filter(Boolean).join(" ")}
      data-key={message.key}
      data-seq={message.seq}
      tabIndex={isCurrent ? 0 : -1}
      aria-label={`${isMine ? "You" : name}, ${timeOf(message.createdAt)}`}
      onContextMenu={(event) => {
        if (String(getSelection()) || (event.target instanceof Element && event.target.closest("a"))) return;
        event.preventDefault();
        open(event.currentTarget, { x: event.clientX, y: event.clientY });
      }}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget) return;
        if (event.key !== "Enter" && !(event.shiftKey && event.key === "F10")) return;
        event.preventDefault();
        open(event.currentTarget);
      }}
    >
      {showsSender && startsGroup && <PersonAvatar name={name} userId={message.senderId} />}
      <div class="bubble">
        {showsSender && startsGroup && (
          <p class="message-sender" dir="auto">
            {name}
          </p>
        )}
        {forwarded && (
          <p class="forwarded">
            Forwarded from <bdi>{forwarded.senderName}</bdi>
          </p>
        )}
        {replyTo && !deletedAt && (
          <button
            type="button"
            class="quote"
            tabIndex={isCurrent ? 0 : -1}
            onClick={() => replyTo.seq !== undefined && actions.jumpTo(replyTo.seq)}
          >
            <span class="quote-sender" dir="auto">
              {replyTo.senderName}
            </span>
            <span class="quote-text" dir="auto">
              {replyTo.deletedAt ? "Message deleted" : plainText(replyTo.preview ?? "") || "Attachment"}
            </span>
          </button>
        )}
        {!deletedAt && (message.files || message.uploads) && <MessageFiles message={message} />}
        <div class={isBigEmoji(message.text) ? "message-text big-emoji" : "message-text"}>
          {deletedAt ? <em class="deleted">Message deleted</em> : <Text message={message} />}
        </div>
        <ReactionBar
          message={message}
          tabIndex={isCurrent ? 0 : -1}
          react={(emoji, on) => actions.react(message, emoji, on)}
        />
        <p class="message-meta">
          {message.pinned && <MarkIcon name="Pinned" icon="pin" kind="" />}
          {message.editedAt && !deletedAt && <span>edited</span>}
          <time dateTime={message.createdAt} title={fullTimeOf(message.createdAt)}>
            {timeOf(message.createdAt)}
          </time>
          {isMine && !deletedAt && <Mark state={state} isRead={props.isRead} />}
        </p>
        {state === "failed" && (
          <p class="failure">
            {failureText(message)}
            <button type="button" class="link-button" onClick={() => message.retry?.()}>
              Try again
            </button>
            <button type="button" class="link-button" onClick={() => message.discard?.()}>
              Discard
            </button>
          </p>
        )}
      </div>
      <button
        type="button"
        class="icon-button message-actions"
        aria-label="Message actions"
        aria-haspopup="menu"
        tabIndex={isCurrent ? 0 : -1}
        onClick={(event) => open(event.currentTarget)}
      >
        <Icon name="more" />
      </button>
    </article>
  );
});

function failureText({ error, uploads }: Message): string {
  if (error?.code === "NOT_MEMBER") return "You are no longer in this chat.";
  if (error?.code === "FILE_LOST") return "This browser has not kept the file: attach it again.";
  return uploads && error ? `This message was not sent: ${error.message}` : "This message was not sent.";
}

function Text({ message }: { message: Message }) {
  const mentions = useMemo(() => mentionParts(message, messenger.user.value?.id), [message]);
  return <Markdown text={message.text} mentions={mentions} />;
}

function SystemMessage({ message, isCurrent }: { message: Message; isCurrent: boolean }) {
  return (
    <article
      class="system-message"
      data-key={message.key}
      data-seq={message.seq}
      tabIndex={isCurrent ? 0 : -1}
      title={fullTimeOf(message.createdAt)}
    >
      <span dir="auto">{message.text}</span>
    </article>
  );
}

function Mark({ state, isRead }: { state: Message["state"]; isRead: boolean }) {
  if (state === "failed") return <MarkIcon name="Not sent" icon="alert" kind="mark-failed" />;
  if (state !== "sent") return <MarkIcon name="Sending" icon="clock" kind="" />;
  return isRead ? (
    <MarkIcon name="Read" icon="checks" kind="mark-read" />
  ) : (
    <MarkIcon name="Sent" icon="check" kind="" />
  );
}

function MarkIcon({ name, icon, kind }: { name: string; icon: IconName; kind: string }) {
  return (
    <span class={`mark ${kind}`} role="img" aria-label={name} title={name}>
      <Icon name={icon} />
    </span>
  );
}

const bigEmoji = /^(?:(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f)(?:\p{EMod}|\u200d\p{Emoji}\ufe0f?)*\s*){1,3}$/u;

/** Whether a text is nothing but one to three emoji. */
const isBigEmoji = (text: string): boolean => text.length <= 40 && bigEmoji.test(text.trim());
