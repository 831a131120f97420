import type { MessageItem } from "../../src/contract/messages.ts";
import type { Device } from "./device.ts";
import { password, type TestMessenger, type TestUser } from "./messenger.ts";

/* The people, chats and requests that many tests begin with. Everything goes through the public interfaces. */

/** A person with one or more connected devices. */
export interface Participant extends TestUser {
  devices: readonly Device[];
  /** The first device, which sends the person's requests. */
  device: Device;
  /** The second device; fails the test if there is none. */
  readonly otherDevice: Device;
}

/** An id that no user, chat or message of a test has. */
export const unknownId = 999_999_999;

/** The whole numbers from `first` to `last`, such as the `seq` values of a chat without gaps. */
export const numbers = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

/** Registers a person and connects this many devices. */
export async function participant(
  messenger: TestMessenger,
  options: { firstName?: string; devices?: number } = {},
): Promise<Participant> {
  const person = await messenger.person(options.firstName);
  const devices = await Promise.all(Array.from({ length: options.devices ?? 1 }, () => person.connect()));
  const [device, otherDevice] = devices;
  if (!device) throw new Error("a participant needs at least one device");
  return {
    ...person,
    devices,
    device,
    get otherDevice() {
      if (!otherDevice) throw new Error(`${person.firstName} has only one device`);
      return otherDevice;
    },
  };
}

/** Registers one person for each of the numbers, which is how many devices that person connects. */
export async function participants<const Counts extends readonly number[]>(
  messenger: TestMessenger,
  ...deviceCounts: Counts
): Promise<{ [Index in keyof Counts]: Participant }> {
  const all = await Promise.all(deviceCounts.map((devices) => participant(messenger, { devices })));
  // `map` loses the length of the tuple.
  return all as { [Index in keyof Counts]: Participant };
}

/** Registers Ann and Bob, each with this many connected devices. */
export async function annAndBob(
  messenger: TestMessenger,
  devices = 1,
): Promise<{ ann: Participant; bob: Participant }> {
  return {
    ann: await participant(messenger, { firstName: "Ann", devices }),
    bob: await participant(messenger, { firstName: "Bob", devices }),
  };
}

/** Ann and Bob, each with two devices, and their dialog, in which Ann has sent one message. */
export async function annAndBobInDialog(
  messenger: TestMessenger,
): Promise<{ ann: Participant; bob: Participant; chatId: number }> {
  const { ann, bob } = await annAndBob(messenger, 2);
  const { chatId } = await sendPrivately(ann.device, bob.id, "Hi");
  await bob.device.nextPush("privateMessage");
  return { ann, bob, chatId };
}

/** Creates a group owned by the device's user and adds the members in this order. Returns its id. */
export async function createGroup(
  owner: Device,
  members: readonly { id: number }[] = [],
  groupName = "a group",
): Promise<number> {
  const { params } = await owner.request("newGroup", { groupName });
  const groupId = params.item.chatId;
  for (const { id } of members) await owner.request("addUserInGroup", { groupId, userId: id });
  return groupId;
}

/** Sends a text to a group and returns the stored message. */
export async function sendToGroup(
  sender: Device,
  groupId: number,
  content: string,
  more: { replyTo?: number; clientMessageId?: string } = {},
): Promise<MessageItem> {
  return (await sender.request("messageInGroup", { groupId, content, ...more })).params.item;
}

/** Sends a text to one person and returns the stored message. */
export async function sendPrivately(
  sender: Device,
  receiverId: number,
  content: string,
  more: { replyTo?: number; clientMessageId?: string } = {},
): Promise<MessageItem> {
  return (await sender.request("privateMessage", { receiverId, content, ...more })).params.item;
}

/** The device's chat list. */
export const listChats = async (device: Device, page = { limit: 100, page: 1 }) =>
  (await device.request("listLastMessage", page)).params.data;

/** A chat of the device's chat list, or undefined if it is not listed. */
export const findChat = async (device: Device, chatId: number) =>
  (await listChats(device)).find((chat) => chat.chatId === chatId);

/** The members of a group with their roles. */
export const listMembers = async (device: Device, groupId: number) =>
  (await device.request("listGroupMembers", { groupId, limit: 100, page: 1 })).params.data;

/** The newest hundred messages of a group, newest first. */
export const groupHistory = async (device: Device, groupId: number) =>
  (await device.request("getlatestMessageGroup", { groupId, limit: 100, page: 1 })).params.data;

/** The newest hundred messages of any chat, by rising `seq`. */
export const chatHistory = async (device: Device, chatId: number): Promise<MessageItem[]> =>
  (await device.request("getMessages", { chatId, limit: 100 })).params.data;

/** The pushes each device received during `work`, in order. */
export async function pushesDuring(devices: readonly Device[], work: () => Promise<unknown>) {
  for (const device of devices) await device.settle();
  const before = devices.map((device) => device.pushes().length);
  await work();
  for (const device of devices) await device.settle();
  return devices.map((device, index) => device.pushes().slice(before[index]));
}

/** All pushes of one type that the device has received so far. */
export async function pushesOfType(device: Device, type: string) {
  await device.settle();
  return device.pushes().filter((push) => push.type === type);
}

/** The type and the text of a push, to be compared with others. */
export const typeAndText = ({ type, params }: { type: string; params: { message: string | null } }) => [
  type,
  params.message,
];

/** Sends a request that must be rejected and returns its error without the `requestId`, to be compared with others. */
export async function errorOf(device: Device, type: string, params: object) {
  const { requestId: _requestId, ...error } = await device.requestError(type, params);
  return error;
}

export const block = (messenger: TestMessenger, blocker: { token: string }, blocked: { id: number }) =>
  messenger.http("PUT", `/users/me/blocks/${blocked.id}`, { token: blocker.token });

export const unblock = (messenger: TestMessenger, blocker: { token: string }, blocked: { id: number }) =>
  messenger.http("DELETE", `/users/me/blocks/${blocked.id}`, { token: blocker.token });

/** Deletes a person's account. */
export async function deleteAccount(messenger: TestMessenger, { token }: { token: string }): Promise<void> {
  const { status } = await messenger.http("DELETE", "/users/me", { token, body: { password } });
  if (status !== 204) throw new Error(`the account was not deleted: ${status}`);
}
