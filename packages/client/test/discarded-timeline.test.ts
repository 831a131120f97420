import { expect, test } from "@jest/globals";
import { History, type Range } from "../src/history.ts";
import { sentMessage } from "../src/message.ts";
import type { MessageItem } from "../src/protocol.ts";
import type { ChatState } from "../src/replica.ts";
import { Timeline, type TimelineSource } from "../src/timeline.ts";

const item = (seq: number) => ({ seq, messageId: seq, version: seq, message: `text ${seq}` }) as MessageItem;

test("a timeline whose chat is discarded while its first page is loading loads that page again", async () => {
  const stateOf = (): ChatState =>
    ({ chatId: 1, lastSeq: 500, clearedSeq: 0, readSeq: 0, history: new History() }) as ChatState;
  let state = stateOf();
  const loads: ((range: Range | undefined) => void)[] = [];
  const source: TimelineSource = {
    state: () => state,
    readSeq: () => 0,
    toMessage: (one) => sentMessage(one, 9, undefined),
    unsent: () => [],
    loadPage: () => new Promise((resolve) => loads.push(resolve)),
    onClose: () => {},
  };
  const timeline = new Timeline(source, { seq: 100 }, 300);
  state = stateOf();
  timeline.update();
  loads[0]?.(undefined);
  await new Promise(setImmediate);
  for (let seq = 90; seq <= 110; seq++) state.history.append(item(seq));
  loads[1]?.({ from: 90, to: 110 });
  await new Promise(setImmediate);
  expect(timeline.value.messages.map(({ seq }) => seq)).toContain(100);
});
