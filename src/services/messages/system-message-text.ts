import type { EventKind } from "../../domain/event.ts";
import type { ChatMessage } from "../../domain/message.ts";

interface Values {
  by: string;
  subject: string;
  groupName: string;
  role: string;
  /** Whether the message was sent by the person it is about: somebody who has joined with an invite. */
  isOwnJoining: boolean;
  hasAvatar: boolean;
}

const templates: Record<EventKind, (values: Values) => string> = {
  groupCreated: ({ by, groupName }) => `${by} created the group "${groupName}"`,
  groupRenamed: ({ by, groupName }) => `${by} renamed the group to "${groupName}"`,
  avatarChanged: ({ by, hasAvatar }) => `${by} ${hasAvatar ? "changed" : "removed"} the picture of the group`,
  groupDeleted: ({ by }) => `${by} deleted the group`,
  memberAdded: ({ by, subject, isOwnJoining }) =>
    isOwnJoining ? `${subject} joined the group with an invite` : `${by} added ${subject} to the group`,
  memberRemoved: ({ by, subject }) => `${by} removed ${subject} from the group`,
  memberLeft: ({ by }) => `${by} left the group`,
  roleChanged: ({ by, subject, role }) => `${by} made ${subject} ${role === "admin" ? "an admin" : "a member"}`,
  ownershipTransferred: ({ by, subject }) => `${by} handed the group over to ${subject}`,
};

/**
 * Returns the text of a message as it is displayed. System messages are stored as ids only and get the current names, so
 * the name of a deleted account is stored nowhere.
 */
export function displayText(message: Pick<ChatMessage, "event" | "sender" | "content" | "groupName">): string {
  const { event, sender, content } = message;
  if (!event) return content;
  return templates[event.kind]({
    by: sender.firstName,
    subject: event.subject?.firstName ?? sender.firstName,
    groupName: event.groupName ?? message.groupName ?? "",
    role: event.role ?? "member",
    isOwnJoining: event.userId === sender.id,
    hasAvatar: event.avatarId !== undefined,
  });
}
