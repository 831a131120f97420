import type { ChatSettings } from "./protocol.ts";

/** What a chat shows of its messages, and which of them notify. */
export interface Attention {
  /** Whether it is muted now. */
  readonly muted: boolean;
  /** Whether it belongs among the archived chats. */
  readonly archived: boolean;
  /** The number of unread messages to show. */
  readonly badge: number;
  /** The number of unread mentions to show. */
  readonly mentionBadge: number;
  /** The messages for which a sound and a notification are due. */
  readonly alerts: "all" | "mentions" | "none";
}

/**
 * What the settings of a chat mean. Mute and level hide the badge, the sound and the notification. A mention is counted in a
 * muted chat too, silently; with the level `none` it is not. An archived chat comes back with the next message unless it is
 * muted.
 * @param chat.mentions the unread messages that mention the user
 * @param now milliseconds since 1970
 */
export function attentionOf(
  settings: ChatSettings,
  chat: { lastSeq: number; unread: number; mentions: number },
  now: number,
): Attention {
  const { level = "all", mutedUntil, archivedSeq } = settings;
  const muted = mutedUntil !== undefined && Date.parse(mutedUntil) > now;
  return {
    muted,
    archived: archivedSeq !== undefined && (muted || chat.lastSeq <= archivedSeq),
    badge: muted || level !== "all" ? 0 : chat.unread,
    mentionBadge: level === "none" ? 0 : chat.mentions,
    alerts: muted ? "none" : level,
  };
}

/** Whether a message in a chat is due a sound and a notification. */
export const isAlert = ({ alerts }: Pick<Attention, "alerts">, isMention: boolean): boolean =>
  alerts === "all" || (alerts === "mentions" && isMention);
