import type { Chat, Message } from "messenger-client";
import { useLayoutEffect, useRef } from "preact/hooks";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { Icon } from "../ui/icon.tsx";
import { showNotice } from "../ui/notice.tsx";
import { useObservable } from "../use-observable.ts";
import { AttachButton, AttachedFiles, useAttachments } from "./attachments.tsx";
import { EmojiButton } from "./emoji-button.tsx";
import { MentionList, mentionListId, mentionOptionId } from "./mention-list.tsx";
import { previewOf } from "./plain-text.ts";
import { useDraft } from "./use-draft.ts";
import { useMentions } from "./use-mentions.ts";

/** What the composer does besides writing a new message. */
export type ComposerMode = { kind: "new" } | { kind: "reply"; to: Message } | { kind: "edit"; message: Message };

interface ComposerProps {
  chat: Chat;
  path: string;
  mode: ComposerMode;
  setMode(mode: ComposerMode): void;
  /** The user's newest message that can be edited. */
  findLastOwn(): Message | undefined;
  /** Is called with each new message. */
  onSend(): void;
}

const defaultMaxLength = 4096;
/** From so many units before the limit, what is left is shown. */
const shownBelow = 200;

/** The field in which messages are written. */
export function Composer({ chat, path, mode, setMode, findLastOwn, onSend }: ComposerProps) {
  const { text, setText, restore } = useDraft(chat, path, {
    isPaused: mode.kind === "edit",
    replyTo: mode.kind === "reply" ? mode.to.messageId : undefined,
  });
  const field = useRef<HTMLTextAreaElement>(null);
  const info = useObservable(messenger.info);
  const maxLength = info?.limits.contentUnits ?? defaultMaxLength;
  const left = maxLength - text.trim().length;
  const attached = useAttachments(mode.kind !== "edit");
  const hasFiles = mode.kind !== "edit" && attached.files.length > 0;
  const mentions = useMentions({
    ...{ chat, text, setText, field },
    edited: mode.kind === "edit" ? mode.message : undefined,
  });
  const canSend = (text.trim().length > 0 || hasFiles) && left >= 0;

  // Before the next key: the menu has given the focus back to the message.
  useLayoutEffect(() => {
    if (mode.kind === "edit") setText(mode.message.text);
    // On a phone, focus would open the keyboard over the messages.
    if (mode.kind !== "new" || matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [mode]);

  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  const leave = () => {
    if (mode.kind === "edit") restore();
    setMode({ kind: "new" });
  };

  const send = () => {
    const content = text.trim();
    if (!canSend) return;
    const mentioned = mentions.mentionedIn(content);
    if (mode.kind === "edit") {
      const { messageId } = mode.message;
      if (messageId !== undefined && content !== mode.message.text) {
        chat.edit(messageId, content, mentioned).catch((error) => showNotice(errorText(error)));
      }
      restore();
    } else {
      const replyTo = mode.kind === "reply" ? mode.to.messageId : undefined;
      chat.send(content, {
        ...mentioned,
        ...(replyTo !== undefined && { replyTo }),
        ...(hasFiles && { files: attached.files }),
      });
      attached.clear();
      setText("");
      onSend();
    }
    setMode({ kind: "new" });
    field.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (mentions.handleKey(event)) event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && mode.kind !== "new") {
      event.preventDefault();
      leave();
    } else if (event.key === "ArrowUp" && text === "" && mode.kind === "new") {
      const last = findLastOwn();
      if (!last) return;
      event.preventDefault();
      setMode({ kind: "edit", message: last });
    }
  };

  const insert = (emoji: string) => {
    const element = field.current;
    const [start, end] = [element?.selectionStart ?? text.length, element?.selectionEnd ?? text.length];
    setText(text.slice(0, start) + emoji + text.slice(end));
    requestAnimationFrame(() => {
      element?.focus();
      element?.setSelectionRange(start + emoji.length, start + emoji.length);
    });
  };

  return (
    <div class="composer">
      {mode.kind !== "new" && <ModeLine mode={mode} onCancel={leave} />}
      {mode.kind !== "edit" && <AttachedFiles files={attached.files} onRemove={attached.remove} />}
      {mentions.found.length > 0 && (
        <MentionList people={mentions.found} selected={mentions.selected} onChoose={mentions.choose} />
      )}
      <div class="composer-row">
        {mode.kind !== "edit" && <AttachButton onChoose={attached.add} />}
        <EmojiButton onChoose={insert} />
        <textarea
          ref={field}
          rows={1}
          aria-label="Message"
          placeholder="Message"
          dir="auto"
          value={text}
          aria-autocomplete="list"
          aria-controls={mentions.found.length > 0 ? mentionListId : undefined}
          aria-activedescendant={mentions.found.length > 0 ? mentionOptionId(mentions.selected) : undefined}
          aria-invalid={left < 0 ? "true" : undefined}
          onInput={(event) => {
            setText(event.currentTarget.value);
            mentions.noteCursor();
            if (event.currentTarget.value && mode.kind !== "edit") chat.typing();
          }}
          onKeyDown={onKeyDown}
          onPaste={attached.onPaste}
          onSelect={() => mentions.noteCursor()}
        />
        {left < shownBelow && (
          <span class={left < 0 ? "count count-over" : "count"} role={left < 0 ? "alert" : undefined}>
            {left < 0 ? `${-left} too many` : left}
          </span>
        )}
        <button
          type="button"
          class="icon-button send"
          aria-label={mode.kind === "edit" ? "Save" : "Send"}
          aria-disabled={!canSend}
          onClick={send}
        >
          <Icon name={mode.kind === "edit" ? "check" : "send"} />
        </button>
      </div>
    </div>
  );
}

function ModeLine({ mode, onCancel }: { mode: Exclude<ComposerMode, { kind: "new" }>; onCancel(): void }) {
  const isReply = mode.kind === "reply";
  const message = isReply ? mode.to : mode.message;
  return (
    <div class="composer-mode">
      <p>
        <strong>{isReply ? `Reply to ${message.isMine ? "yourself" : message.senderName}` : "Edit message"}</strong>
        <span dir="auto">{previewOf(message)}</span>
      </p>
      <button type="button" class="icon-button" aria-label="Cancel" onClick={onCancel}>
        <Icon name="close" />
      </button>
    </div>
  );
}
