import type { ChatSummary } from "messenger-client";
import { messenger } from "../messenger.ts";
import { Avatar } from "../ui/avatar.tsx";
import { useObservable } from "../use-observable.ts";

/** The avatar of a user, which follows when it changes. */
export function PersonAvatar({ name, userId }: { name: string; userId: number }) {
  const avatarId = useObservable(messenger.people.avatar(userId));
  return <Avatar name={name} id={userId} url={urlOf(avatarId)} size="small" />;
}

/** The avatar of a group, or of the other user of a dialog. */
export function ChatAvatar({ chat, size = "medium" }: { chat: ChatSummary; size?: "small" | "medium" | "large" }) {
  return <Avatar name={chat.title} id={chat.peer?.id ?? chat.id ?? 0} url={urlOf(chat.avatarId)} size={size} />;
}

export const urlOf = (avatarId: string | undefined): string | undefined => avatarId && messenger.avatarUrl(avatarId);
