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
  mentions: [{ userId: 2, offset: 0, length: 4 }],
  mentionsAll: true,
  pinned: { by: 1, at: new Date() },
  firstAuthor: { id: 3, firstName: "Cid", lastName: null },
};

test("a forwarded message with reactions, mentions and a pin is received as it was published", () => {
  expect(received(marked)).toEqual(marked);
  const ofDeletedAccount = { ...marked, change: { kind: "reaction", by: 2 }, reactions: [] };
  expect(received(ofDeletedAccount)).toEqual(ofDeletedAccount);
});

test("of a process that does not know reactions or mentions, new messages are received, and changes are read from the store", () => {
  const sent = message(5);
  const { reactions: _reactions, mentions: _none, mentionsAll: _all, pinned: _pinned, ...known } = sent;
  expect(received(known)).toEqual(sent);
  expect(received({ ...known, change: { kind: "edit", by: 1 } })).toBeUndefined();
  // Such a process knows reactions, but not the mentions of the message that somebody reacts to.
  const { mentions: _mentions, mentionsAll: _mentionsAll, ...reacted } = marked;
  expect(received(reacted)).toBeUndefined();
});

test("of a process that does not know forwarding, new messages are received, and changes are read from the store", () => {
  const sent = message(5);
  const { firstAuthor: _firstAuthor, ...known } = sent;
  expect(received(known)).toEqual(sent);
  expect(received({ ...known, change: { kind: "pin", by: 1, on: true } })).toBeUndefined();
});
