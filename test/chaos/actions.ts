import { setTimeout as wait } from "node:timers/promises";
import type { ChaosClient } from "./client.ts";
import type { Log } from "./log.ts";
import type { LocalChat } from "./replica.ts";

export interface Scene {
  clients: readonly ChaosClient[];
  /** The groups there are, as far as is known. */
  groups: number[];
  ports: readonly number[];
  log: Log;
  signal: AbortSignal;
}

interface Moment extends Scene {
  /** One of the chats that this device knows. */
  chat: LocalChat | undefined;
  /** Of somebody. */
  userId: number;
  groupId: number;
}

type Act = (client: ChaosClient, moment: Moment) => Promise<unknown> | undefined;

/** What one device does until it is told to stop: it talks most of the time. */
export async function act(client: ChaosClient, scene: Scene): Promise<void> {
  const { random } = client;
  while (!scene.signal.aborted) {
    if (!client.connected) {
      // Some stay away for longer, and miss what the others say, edit and delete meanwhile.
      await wait(random.chance(0.4) ? random.between(200, 3000) : random.between(10, 200));
      if (scene.signal.aborted || !(await client.connect(random.pick(scene.ports) ?? 0))) continue;
    }
    if (client.unsettled.length > 0 && random.chance(0.5)) await client.sayAgain();
    const userId = random.pick(scene.clients)?.userId ?? client.userId;
    const groupId = random.pick(scene.groups) ?? 0;
    const chat = random.pick([...client.replica.chats.values()]);
    await drawAct(random.next())(client, { ...scene, chat, userId, groupId });
    scene.log.counts.acts++;
    if (random.chance(0.02)) await wait(random.between(1, 50));
  }
}

const sayToGroup: Act = (client, { chat, groupId }) =>
  client.say({ groupId: chat?.kind === "group" ? chat.chatId : groupId });

const sayToPerson: Act = (client, { userId }) => client.say({ receiverId: userId });

const sayALot: Act = (client, { userId, groupId }) => {
  const to = client.random.chance(0.3) ? { groupId } : { receiverId: userId };
  return Promise.all(Array.from({ length: client.random.between(2, 30) }, () => client.say(to)));
};

const reply: Act = (client, { chat, log }) => {
  const answered = chat && client.replica.pickMessage(chat, client.random);
  if (!chat || !answered) return undefined;
  log.counts.replies++;
  const to = chat.kind === "group" ? { groupId: chat.chatId } : { receiverId: chat.peerId ?? client.userId };
  return client.say(to, answered.messageId);
};

/** Of one's own messages; the old ones, too. */
const ownMessage = (client: ChaosClient, { chat }: Moment) =>
  chat && client.replica.pickMessage(chat, client.random, ({ senderId }) => senderId === client.userId);

const edit: Act = (client, moment) => {
  const message = ownMessage(client, moment);
  return message && client.revise(message.messageId, { content: `${message.message} (edited)`.slice(-4000) });
};

/** One's own message; now and then anybody's, which an admin may. */
const takeBack: Act = (client, moment) => {
  const { chat } = moment;
  const isAnybodys = chat?.kind === "group" && client.random.chance(0.2);
  const message = isAnybodys ? client.replica.pickMessage(chat, client.random) : ownMessage(client, moment);
  return message && client.revise(message.messageId, "deletion");
};

const add: Act = (client, { groupId, userId }) => client.request("addUserInGroup", { groupId, userId });

const leave: Act = (client, { groupId }) => client.request("leaveGroup", { groupId });

/** A group that this device has made, where it may do more than elsewhere; or any. */
const ownGroup = ({ random, madeGroups }: ChaosClient, any: number, often: number): number =>
  (random.chance(often) && random.pick(madeGroups)) || any;

const remove: Act = async (client, { groupId, userId, log }) => {
  const frame = await client.request("removeUserFromGroup", { groupId: ownGroup(client, groupId, 0.5), userId });
  if (frame?.success) log.counts.removals++;
};

const setRole: Act = (client, { groupId, userId }) =>
  client.request("setMemberRole", { groupId, userId, role: client.random.chance(0.7) ? "admin" : "member" });

/** Up to the newest, or to somewhere before it, where one may have been already. */
const markRead: Act = (client, { chat }) => {
  if (!chat) return undefined;
  const newest = Math.max(1, chat.version);
  const seq = client.random.chance(0.5) ? newest : client.random.between(1, newest);
  return client.request("markRead", { chatId: chat.chatId, seq });
};

const clear: Act = (client, { chat, log }) => {
  if (chat?.peerId === undefined) return undefined;
  log.counts.clearings++;
  return client.request("clearDialog", { receiverId: chat.peerId });
};

/** Reads a page of history: of a chat of one's own, or of any group, perhaps as a stranger. */
const readPage: Act = (client, { chat, groupId, userId }) => {
  const { random } = client;
  const page = random.pick([1, 1, 2, 3]) ?? 1;
  if (random.chance(0.3)) return client.readLatest(random.chance(0.5) ? { groupId } : { receiverId: userId }, page);
  if (!chat) return undefined;
  const seq = random.between(1, Math.max(1, chat.version));
  return client.readAround(chat, random.pick([{}, { before: seq }, { after: seq }, { around: seq }]) ?? {});
};

const makeGroup: Act = async (client, { groups, clients }) => {
  const { chatId: groupId } = await client.say({ newGroup: true });
  if (groupId === undefined) return;
  groups.push(groupId);
  client.madeGroups.push(groupId);
  for (let others = client.random.between(0, 8); others > 0; others--) {
    const userId = client.random.pick(clients)?.userId ?? client.userId;
    await client.request("addUserInGroup", { groupId, userId });
    if (client.random.chance(0.3)) await client.request("setMemberRole", { groupId, userId, role: "admin" });
  }
};

/** Ends a group that one has made, for everybody or as the last one out; or tries any, which only its owner may end. */
const endGroup: Act = async (client, { groups, groupId: any }) => {
  const groupId = ownGroup(client, any, 0.95);
  const frame = await client.request(client.random.chance(0.7) ? "deleteGroup" : "leaveGroup", { groupId });
  if (!frame?.success) return;
  // If others are still in there, they go on as they know it.
  for (const list of [groups, client.madeGroups]) if (list.includes(groupId)) list.splice(list.indexOf(groupId), 1);
};

const goAway: Act = (client) => {
  client.cut();
  return undefined;
};

/** How often each is done. */
const acts: readonly [weight: number, act: Act][] = [
  [30, sayToGroup],
  [17, sayToPerson],
  [18, sayALot],
  [4, reply],
  [7, edit],
  [3, takeBack],
  [9, add],
  [4, leave],
  [5, remove],
  [1, setRole],
  [10, markRead],
  [1, clear],
  [5, readPage],
  [1, makeGroup],
  [1, endGroup],
  [3, (client) => client.repeat()],
  [2, (client) => client.catchUp()],
  [2, goAway],
];
const sumOfWeights = acts.reduce((sum, [weight]) => sum + weight, 0);

/** @param dice from 0 to 1 */
function drawAct(dice: number): Act {
  let left = dice * sumOfWeights;
  for (const [weight, one] of acts) {
    left -= weight;
    if (left < 0) return one;
  }
  return sayToGroup;
}
