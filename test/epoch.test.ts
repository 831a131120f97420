import { cp, rm } from "node:fs/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { idGap } from "../src/db/queries/epoch.ts";
import { onServer } from "./support/databases.ts";
import { useMessenger } from "./support/messenger.ts";
import type { ServerProcess } from "./support/process.ts";
import { useProcesses } from "./support/processes.ts";
import { annAndBobInDialog, createGroup, sendPrivately } from "./support/scenes.ts";
import { chatIn, knownOf, syncWith, textsOf } from "./support/sync.ts";

/* The epoch tells clients that the data was restored, so that they do not mix two histories. */

const messenger = useMessenger();

const declareRestored = () =>
  messenger().sql("UPDATE server_state SET epoch = gen_random_uuid()::text RETURNING server_epoch() AS epoch", {});

const readInfo = async () => (await messenger().http("GET", "/api/info")).body;

describe("the epoch", () => {
  afterEach(() => messenger().closeDevices());

  test("is the same in GET /api/info and in every sync, and stays while nothing is restored", async () => {
    const { ann } = await annAndBobInDialog(messenger());
    const { epoch } = await syncWith(ann.device);
    expect(epoch).toMatch(/^[0-9a-f]{32}$/);
    expect(await readInfo()).toMatchObject({ epoch });
    expect(await syncWith(ann.device)).toMatchObject({ epoch, userId: ann.id });
  });

  test("closes every socket with 1012 once the data was restored, and a client that reconnects gets the new one", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const { epoch } = await syncWith(ann.device);
    await declareRestored();
    expect(await Promise.all([ann.device.closed, bob.device.closed])).toMatchObject([{ code: 1012 }, { code: 1012 }]);
    const again = await ann.connect();
    const answer = await syncWith(again);
    expect(answer.epoch).not.toBe(epoch);
    expect(await readInfo()).toMatchObject({ epoch: answer.epoch });
  });

  test("closes a socket before it answers a sync on it from the new history", async () => {
    const { ann } = await annAndBobInDialog(messenger());
    const { epoch } = await syncWith(ann.device);
    await declareRestored();
    ann.device.send({ type: "sync", params: { chats: [], epoch } });
    expect(await ann.device.closed).toMatchObject({ code: 1012 });
    const epochs = ann.device.frames.flatMap(({ type, params }) => (type === "sync" ? [params.item.epoch] : []));
    expect(new Set(epochs)).toEqual(new Set([epoch]));
  });

  test("messages sent after it changed are delivered to clients that have reconnected", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    for (const content of ["two", "three"]) await sendPrivately(ann.device, bob.id, content);
    // The database goes back to its state before the last two messages.
    await messenger().sql("DELETE FROM messages WHERE chat_id = $chatId AND seq > 1 RETURNING id", { chatId });
    await messenger().sql(
      `UPDATE chats SET last_seq = 1, version = 1, last_message_id = (SELECT id FROM messages WHERE chat_id = $chatId)
        WHERE id = $chatId RETURNING id`,
      { chatId },
    );
    await declareRestored();
    await Promise.all([ann.device.closed, bob.device.closed]);
    const [annAgain, bobAgain] = [await ann.connect(), await bob.connect()];
    await sendPrivately(annAgain, bob.id, "another two");
    expect(await bobAgain.nextPush("privateMessage")).toMatchObject({
      params: { message: "another two", item: { chatId, version: 2 } },
    });
  });

  test("ids are never used again once it has changed, so that queued requests concern nothing else", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const { messageId: before } = await sendPrivately(ann.device, bob.id, "before");
    await declareRestored();
    await Promise.all([ann.device.closed, bob.device.closed]);
    const again = await ann.connect();
    const { messageId, chatId } = await sendPrivately(again, bob.id, "after");
    expect(messageId).toBeGreaterThanOrEqual(before + idGap);
    expect(await createGroup(again, [])).toBeGreaterThanOrEqual(chatId + idGap);
    const { id } = await messenger().person();
    expect(id).toBeGreaterThanOrEqual(bob.id + idGap);
    // Once only.
    expect((await sendPrivately(again, bob.id, "next")).messageId).toBeLessThan(messageId + idGap);
  });

  test("a sync that names another one resets every chat it lists, also those of the same version", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const first = await syncWith(ann.device);
    const known = first.chats.map(knownOf);
    expect(await syncWith(ann.device, known, { epoch: first.epoch })).toMatchObject({ chats: [], left: [] });
    const answer = await syncWith(ann.device, known, { epoch: "another" });
    for (const id of [chatId, groupId]) expect(chatIn(answer, id)).toMatchObject({ reset: true });
    expect(textsOf(chatIn(answer, chatId))).toEqual(["Hi"]);
  });
});

(onServer ? describe.skip : describe)("an embedded database", () => {
  const processes = useProcesses();

  test("keeps its epoch over a restart, and gets another one when its files are copied back", async () => {
    const dataDir = `${processes.dataDir}/database`;
    const copy = `${processes.dataDir}/copy`;
    const first = await processes.start({ DATA_DIR: dataDir });
    const readEpoch = async ({ port }: ServerProcess): Promise<string> =>
      ((await (await fetch(`http://127.0.0.1:${port}/api/info`)).json()) as { epoch: string }).epoch;
    const epoch = await readEpoch(first);
    await first.stop("SIGTERM");
    await cp(dataDir, copy, { recursive: true });
    const second = await processes.start({ DATA_DIR: dataDir });
    expect(await readEpoch(second)).toBe(epoch);
    await second.stop("SIGTERM");
    await rm(dataDir, { recursive: true });
    await cp(copy, dataDir, { recursive: true });
    const third = await processes.start({ DATA_DIR: dataDir });
    expect(await readEpoch(third)).not.toBe(epoch);
  }, 120_000);
});
