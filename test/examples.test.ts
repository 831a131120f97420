import { expect, test } from "@jest/globals";
import { exampleFrames, examplePush } from "../src/docs/frame-schemas.ts";
import type { AnyMessageType, ExampleScene } from "../src/ws/message-type.ts";
import { messageTypes } from "../src/ws/registry.ts";
import type { Device } from "./support/device.ts";
import { frameErrors, shapeOf } from "./support/documented-frames.ts";
import { useMessenger } from "./support/messenger.ts";
import { createGroup, participant, sendPrivately, sendToGroup } from "./support/scenes.ts";
import { search } from "./support/search.ts";

/* Every example of the WebSocket documents is sent to a server, which must answer and push what the document shows. */

const messenger = useMessenger();

/** A sender who owns a group and has a dialog of three messages with a member of it. */
async function exampleScene(): Promise<{ sender: Device; others: readonly Device[]; scene: ExampleScene }> {
  const sender = await participant(messenger(), { devices: 2 });
  const peer = await participant(messenger());
  const outsider = await participant(messenger());
  const reacted = await sendPrivately(sender.device, sender.id, "a note");
  await sender.device.request("react", { messageId: reacted.messageId, emoji: "👍", on: true });
  const pinned = await sendPrivately(sender.device, sender.id, "another note");
  await sender.device.request("pinMessage", { messageId: pinned.messageId, on: true });
  const groupId = await createGroup(sender.device, [peer]);
  await sendToGroup(sender.device, groupId, "to the group");
  const mentioningGroupId = await createGroup(peer.device, [sender]);
  const mentions = [{ userId: sender.id, offset: 0, length: 4 }];
  await peer.device.request("messageInGroup", { groupId: mentioningGroupId, content: "@you", mentions });
  const { chatId: dialogId } = await sendPrivately(sender.device, peer.id, "one");
  const { messageId } = await sendPrivately(sender.device, peer.id, "two");
  await sendPrivately(peer.device, sender.id, "three");
  const others = [...sender.devices.slice(1), peer.device, outsider.device];
  for (const device of [sender.device, ...others]) {
    await device.settle();
    device.frames.length = 0;
  }
  return {
    sender: sender.device,
    others,
    scene: {
      peerId: peer.id,
      outsiderId: outsider.id,
      dialogId,
      groupId,
      messageId,
      reactedMessageId: reacted.messageId,
      pinnedChatId: pinned.chatId,
      token: sender.token,
    },
  };
}

const pushTypeOf = ({ type, push }: AnyMessageType) => push?.type ?? type;

function typeOfPush(pushType: string): AnyMessageType {
  const found = Object.values<AnyMessageType>(messageTypes).find((one) => one.push && pushTypeOf(one) === pushType);
  if (!found) throw new Error(`no message type documents the push ${pushType}`);
  return found;
}

test.each(Object.values<AnyMessageType>(messageTypes).map((messageType) => [messageType.type, messageType] as const))(
  "the example of %s is answered and pushed as documented",
  async (type, messageType) => {
    const { sender, others, scene } = await exampleScene();
    // Messages are found a moment after they were sent.
    if (type === "searchMessages") await search(sender, "one");
    const frames = exampleFrames(messageType);
    expect(frameErrors(type, frames.request)).toEqual([]);

    const params = messageType.example.prepare?.(scene) ?? messageType.example.params;
    const answer = await sender.sendRaw({ type, params });
    expect(frameErrors(`${type}.answer`, answer)).toEqual([]);
    expect(shapeOf(answer)).toEqual(shapeOf(frames.answer));

    for (const device of others) await device.settle();
    const pushes = others.flatMap((device) => device.pushes());
    for (const push of pushes) {
      const pushed = typeOfPush(push.type);
      expect(frameErrors(`${pushed.type}.push`, push)).toEqual([]);
      // A forwarded message is pushed like a sent one, but with the item of the answer.
      const documented =
        type === "forwardMessage" ? examplePush(push.type, messageType.example.item) : exampleFrames(pushed).push;
      expect(shapeOf(push)).toEqual(shapeOf(documented));
    }
    // A push under another name, such as `presence`, is not caused by the request itself.
    if (messageType.push && !messageType.push.type) expect(pushes.map((push) => push.type)).toContain(type);
  },
);
