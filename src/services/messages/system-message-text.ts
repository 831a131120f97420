import type { ChatMessage } from "../../domain/message.ts";

type EventKind = NonNullable<ChatMessage["event"]>["kind"];

const sentences: Record<
  EventKind,
  (words: { by: string; subject: string; groupName: string; role: string }) => string
> = {
  groupCreated: ({ by, groupName }) => `${by} created the group "${groupName}"`,
  groupRenamed: ({ by, groupName }) => `${by} renamed the group to "${groupName}"`,
  groupDeleted: ({ by }) => `${by} deleted the group`,
  memberAdded: ({ by, subject }) => `${by} added ${subject} to the group`,
  memberRemoved: ({ by, subject }) => `${by} removed ${subject} from the group`,
  memberLeft: ({ by }) => `${by} left the group`,
  roleChanged: ({ by, subject, role }) => `${by} made ${subject} ${role === "admin" ? "an admin" : "a member"}`,
  ownershipTransferred: ({ by, subject }) => `${by} handed the group over to ${subject}`,
};

/**
 * What people read: the text, or for a notification a sentence made from today's names. Nothing but ids is stored, so
 * that the name of a deleted account is nowhere.
 */
export function displayText(message: Pick<ChatMessage, "event" | "sender" | "content" | "groupName">): string {
  const { event, sender, content } = message;
  if (!event) return content;
  return sentences[event.kind]({
    by: sender.firstName,
    subject: event.subject?.firstName ?? sender.firstName,
    groupName: event.groupName ?? message.groupName ?? "",
    role: event.role ?? "member",
  });
}
