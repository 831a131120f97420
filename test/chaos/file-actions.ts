import type { MessageItem } from "../../src/contract/messages.ts";
import { type Action, pickMentioned, revise } from "./action.ts";
import type { ChaosClient } from "./client.ts";

/** Sends a message with one or two files, or uploads them and never sends them. */
export const sendFiles: Action = async (client, context) => {
  const { ports, userId, groupId } = context;
  const { random } = client;
  const files = await Promise.all(Array.from({ length: random.between(1, 2) }, () => client.http.upload(ports)));
  const fileIds = files.flatMap((file) => file?.id ?? []);
  if (fileIds.length === 0 || random.chance(0.2)) return;
  const to = random.chance(0.7) ? { groupId } : { receiverId: userId };
  await client.sendNew(to, { ...pickMentioned(client, context, "groupId" in to), fileIds });
};

/** A random message with files that matches, in any chat of the device. */
export function pickWithFiles(
  { random, replica }: ChaosClient,
  matches: (item: MessageItem) => boolean = () => true,
): MessageItem | undefined {
  const all = [...replica.chats.values()].flatMap(({ messages }) => [...messages.values()]);
  return random.pick(all.filter((item) => item.files && matches(item)));
}

/** Reads a file of a message: its content is the one that was uploaded, or the message was deleted meanwhile. */
export const readFile: Action = async (client, context) => {
  const { ports, log } = context;
  const file = client.random.pick(pickWithFiles(client)?.files ?? []);
  const digest = file && (await client.http.readFile(client.random.pick(ports) ?? 0, file.id));
  if (!digest) return;
  log.counts.downloads++;
  const expected = log.uploads.get(file.id)?.sha256;
  if (digest === expected) return;
  log.reportViolation("inconsistent", `file ${file.id} is read with the digest ${digest} instead of ${expected}`);
};

/** Deletes a message with files. */
export const deleteFiles: Action = (client, context) => {
  const message = pickWithFiles(client, ({ senderId }) => senderId === client.userId);
  return message && revise(client, context, message.messageId, "deletion");
};
