import { expect, test } from "@jest/globals";
import { changeTopic } from "../src/delivery/bus-codec.ts";
import type { ChatMessage } from "../src/domain/message.ts";
import { message } from "./support/scripted-changes.ts";

/* Changes as the processes publish them to each other. */

/** What another process receives. */
const received = (published: object) =>
  changeTopic.decode(JSON.parse(JSON.stringify({ message: published, recipientIds: [1, 2] })))?.message;

const marked: ChatMessage = {
  ...message(5),
  change: { kind: "reaction", by: 2, emoji: "👍", on: true },
  reactions: [{ emoji: "👍", count: 2, userIds: [1, 2] }],
  pinned: { by: 1, at: new Date() },
  firstAuthor: { id: 3, firstName: "Cid", lastName: null },
};

test("a forwarded message with reactions and a pin is received as it was published", () => {
  expect(received(marked)).toEqual(marked);
  const ofDeletedAccount = { ...marked, change: { kind: "reaction", by: 2 }, reactions: [] };
  expect(received(ofDeletedAccount)).toEqual(ofDeletedAccount);
});

test("of a process that does not know reactions, new messages are received, and changes are read from the store", () => {
  const sent = message(5);
  const { reactions: _reactions, pinned: _pinned, ...known } = sent;
  expect(received(known)).toEqual(sent);
  expect(received({ ...known, change: { kind: "edit", by: 1 } })).toBeUndefined();
});

test("of a process that does not know forwarding, new messages are received, and changes are read from the store", () => {
  const sent = message(5);
  const { firstAuthor: _firstAuthor, ...known } = sent;
  expect(received(known)).toEqual(sent);
  expect(received({ ...known, change: { kind: "pin", by: 1, on: true } })).toBeUndefined();
});
