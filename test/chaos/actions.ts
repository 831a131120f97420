import { setTimeout as wait } from "node:timers/promises";
import type { MessageItem } from "../../src/contract/messages.ts";
import { type Action, type ActionContext, devicesOf, pickMentioned, type RunContext, revise } from "./action.ts";
import type { ChaosClient } from "./client.ts";
import { deleteFiles, pickWithFiles, readFile, sendFiles } from "./file-actions.ts";
import type { LocalChat } from "./local-chat.ts";
import type { Destination } from "./log.ts";
import { mentionsIn } from "./mentions.ts";
import { randomState } from "./personal-state.ts";
import { pictures } from "./pictures.ts";
import type { Random } from "./random.ts";

/** Runs random actions of one device until the signal is aborted; most of them are sends. */
export async function runActions(client: ChaosClient, run: RunContext): Promise<void> {
  const { random } = client;
  while (!run.signal.aborted) {
    if (run.isIdle) {
      await wait(50);
      continue;
    }
    if (!client.connected) {
      // Some devices stay offline longer and miss many changes.
      await wait(random.chance(0.4) ? random.between(200, 3000) : random.between(10, 200));
      if (run.signal.aborted || !client.mayConnect || !(await client.connect(random.pick(run.ports) ?? 0))) continue;
    }
    if (client.unconfirmed.length > 0 && random.chance(0.5)) await client.resendUnconfirmed();
    const userId = random.pick(run.clients)?.userId ?? client.userId;
    const groupId = random.pick(run.groups) ?? 0;
    const chat = random.pick([...client.replica.chats.values()]);
    await pickAction(random.next())(client, { ...run, chat, userId, groupId });
    run.log.counts.actions++;
    if (random.chance(0.02)) await wait(random.between(1, 50));
  }
}

const send = (client: ChaosClient, context: RunContext, to: Destination) =>
  client.sendNew(to, pickMentioned(client, context, "groupId" in to));

const sendToGroup: Action = (client, context) => {
  const { chat, groupId } = context;
  return send(client, context, { groupId: chat?.kind === "group" ? chat.chatId : groupId });
};

const sendToUser: Action = (client, context) => send(client, context, { receiverId: context.userId });

const sendBurst: Action = (client, context) => {
  const { userId, groupId } = context;
  const to = client.random.chance(0.3) ? { groupId } : { receiverId: userId };
  return Promise.all(Array.from({ length: client.random.between(2, 30) }, () => send(client, context, to)));
};

const reply: Action = (client, { chat, log }) => {
  const repliedTo = chat && pickMessage(chat, client.random);
  if (!chat || !repliedTo) return undefined;
  log.counts.replies++;
  const to = chat.kind === "group" ? { groupId: chat.chatId } : { receiverId: chat.peerId ?? client.userId };
  return client.sendNew(to, { replyTo: repliedTo.messageId });
};

/** Forwards a message to any group or user. */
const forward: Action = (client, context) => {
  const { chat, groupId, userId, log } = context;
  const hasFiles = client.random.chance(0.3);
  const message = hasFiles ? pickWithFiles(client) : chat && pickMessage(chat, client.random);
  if (!message) return undefined;
  log.counts.forwards++;
  const { messageId, forwarded, senderId } = message;
  const to = client.random.chance(0.5) ? { groupId } : { receiverId: userId };
  return client.sendNew(to, { forwards: { messageId, firstAuthorId: forwarded?.senderId ?? senderId } });
};

/** A random message that matches, old ones as likely as new ones; undefined if some random tries find none. */
function pickMessage(
  { messages, version, clearedSeq }: LocalChat,
  random: Random,
  matches: (item: MessageItem) => boolean = () => true,
): MessageItem | undefined {
  for (let attempt = 0; attempt < 10; attempt++) {
    const item = messages.get(random.between(clearedSeq + 1, Math.max(version, clearedSeq + 1)));
    if (item && !item.notification && !item.deletedAt && matches(item)) return item;
  }
  return undefined;
}

/** A random message of the user. */
const pickOwnMessage = (client: ChaosClient, { chat }: ActionContext) =>
  chat && pickMessage(chat, client.random, ({ senderId }) => senderId === client.userId);

const edit: Action = (client, context) => {
  const message = pickOwnMessage(client, context);
  const content = `${message?.message} (edited)`.slice(-4000);
  const { mentionedIds, ...all } = pickMentioned(client, context, context.chat?.kind === "group");
  const mentioned = { ...all, ...(mentionedIds && { mentions: mentionsIn(content, mentionedIds) }) };
  return message && revise(client, context, message.messageId, { content, ...mentioned });
};

/** Deletes a message of the user, or sometimes one of another member, which requires the role admin. */
const deleteMessage: Action = (client, context) => {
  const { chat } = context;
  const isAnyMessage = chat?.kind === "group" && client.random.chance(0.2);
  const message = isAnyMessage ? pickMessage(chat, client.random) : pickOwnMessage(client, context);
  return message && revise(client, context, message.messageId, "deletion");
};

const emoji = ["👍", "❤️", "🎉"];

/** Reacts to a message or removes a reaction, sometimes on all devices of the user at the same time. */
const react: Action = (client, { chat, clients }) => {
  const message = chat && pickMessage(chat, client.random);
  if (!message) return undefined;
  const mark = { emoji: client.random.pick(emoji), on: client.random.chance(0.7) };
  return Promise.all(devicesOf(client, clients, 0.2).map((device) => device.mark(message.messageId, mark)));
};

/** Pins a message or removes its pin; in most groups the user may not. */
const pin: Action = (client, { chat }) => {
  const message = chat && pickMessage(chat, client.random);
  return message && client.mark(message.messageId, { on: client.random.chance(0.7) });
};

const addMember: Action = (client, { groupId, userId }) => client.request("addUserInGroup", { groupId, userId });

const leaveGroup: Action = (client, { groupId }) => client.request("leaveGroup", { groupId });

/** A group created by this device, of which it is the owner, with the given probability; otherwise `anyGroup`. */
const pickOwnGroup = (
  { random, createdGroups: madeGroups }: ChaosClient,
  anyGroup: number,
  probability: number,
): number => (random.chance(probability) && random.pick(madeGroups)) || anyGroup;

const removeMember: Action = async (client, { groupId, userId, log }) => {
  const frame = await client.request("removeUserFromGroup", { groupId: pickOwnGroup(client, groupId, 0.5), userId });
  if (frame?.success) log.counts.removals++;
};

const setRole: Action = (client, { groupId, userId }) =>
  client.request("setMemberRole", { groupId, userId, role: client.random.chance(0.7) ? "admin" : "member" });

/** Marks the chat as read up to its newest message or to an earlier one. */
const markRead: Action = (client, { chat }) => {
  if (!chat) return undefined;
  const newest = Math.max(1, chat.version);
  const seq = client.random.chance(0.5) ? newest : client.random.between(1, newest);
  return client.request("markRead", { chatId: chat.chatId, seq });
};

const clearDialog: Action = (client, { chat, log }) => {
  if (chat?.peerId === undefined) return undefined;
  log.counts.clears++;
  return client.request("clearDialog", { receiverId: chat.peerId });
};

/** Sets or removes a key of the personal state, sometimes on all devices of the user at the same time. */
const setState: Action = (client, { chat, clients }) => {
  const change = () => randomState(client.random, chat?.chatId);
  return Promise.all(devicesOf(client, clients, 0.3).map((device) => device.setState(change())));
};

/** Sets or removes the avatar of the user or of a group. */
const setAvatar: Action = async (client, { chat, groupId, ports }) => {
  const { random } = client;
  const ofGroup = chat?.kind === "group" ? chat.chatId : groupId;
  const picture = random.chance(0.7) ? random.pick(await pictures) : undefined;
  await client.http.setAvatar(random.pick(ports) ?? 0, random.chance(0.5) ? ofGroup : undefined, picture);
};

/** Reads a page of history: of a chat of the device, or of any group, even without being a member. */
const readPage: Action = (client, { chat, groupId, userId }) => {
  const { random } = client;
  const page = random.pick([1, 1, 2, 3]) ?? 1;
  if (random.chance(0.3))
    return client.history.readLatest(random.chance(0.5) ? { groupId } : { receiverId: userId }, page);
  if (!chat) return undefined;
  const seq = random.between(1, Math.max(1, chat.version));
  return client.history.readAround(chat, random.pick([{}, { before: seq }, { after: seq }, { around: seq }]) ?? {});
};

/** Searches for what some device has sent, or for what was edited. */
const search: Action = (client, { clients }) =>
  client.search(client.random.chance(0.3) ? "edited" : `${client.random.pick(clients)?.name ?? client.name} sends`);

const createGroup: Action = async (client, { groups, clients }) => {
  const { chatId: groupId } = await client.sendNew({ newGroup: true });
  if (groupId === undefined) return;
  groups.push(groupId);
  client.createdGroups.push(groupId);
  for (let count = client.random.between(0, 8); count > 0; count--) {
    const userId = client.random.pick(clients)?.userId ?? client.userId;
    await client.request("addUserInGroup", { groupId, userId });
    if (client.random.chance(0.3)) await client.request("setMemberRole", { groupId, userId, role: "admin" });
  }
};

/** Deletes or leaves a group created by this device. Rarely tries it with any group, which the server must reject. */
const deleteGroup: Action = async (client, { groups, groupId: anyGroup }) => {
  const groupId = pickOwnGroup(client, anyGroup, 0.95);
  const frame = await client.request(client.random.chance(0.7) ? "deleteGroup" : "leaveGroup", { groupId });
  if (!frame?.success) return;
  // Remaining members still use a group that was only left, since they have it in their replicas.
  for (const list of [groups, client.createdGroups]) if (list.includes(groupId)) list.splice(list.indexOf(groupId), 1);
};

const disconnect: Action = (client) => {
  client.disconnect();
  return undefined;
};

/** The actions and their relative frequencies. */
const weightedActions: readonly [weight: number, action: Action][] = [
  [30, sendToGroup],
  [17, sendToUser],
  [18, sendBurst],
  [4, reply],
  [4, forward],
  [7, edit],
  [3, deleteMessage],
  [8, react],
  [4, pin],
  [9, addMember],
  [4, leaveGroup],
  [5, removeMember],
  [1, setRole],
  [10, markRead],
  [1, clearDialog],
  [6, setState],
  [3, sendFiles],
  [3, readFile],
  [2, deleteFiles],
  [1, setAvatar],
  [5, readPage],
  [2, search],
  [1, createGroup],
  [1, deleteGroup],
  [3, (client) => client.repeatAcknowledged()],
  [2, (client) => client.sync()],
  [2, disconnect],
];
const totalWeight = weightedActions.reduce((sum, [weight]) => sum + weight, 0);

/** @param random a number from 0 up to but not including 1 */
function pickAction(random: number): Action {
  let remaining = random * totalWeight;
  for (const [weight, action] of weightedActions) {
    remaining -= weight;
    if (remaining < 0) return action;
  }
  return sendToGroup;
}
