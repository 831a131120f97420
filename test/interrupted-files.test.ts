import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, utimes } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { MessageItem } from "../src/contract/messages.ts";
import { DiskStorage } from "../src/files/disk-storage.ts";
import { checkFiles } from "../src/services/files/check-files.ts";
import { type Account, registerAccount } from "./support/accounts.ts";
import { announce, download, putContent } from "./support/files.ts";
import { TestMessenger } from "./support/messenger.ts";
import { noisyPicture } from "./support/pictures.ts";
import type { ServerProcess } from "./support/process.ts";
import { connect, TestProcesses } from "./support/processes.ts";
import { until } from "./support/until.ts";

/* A server is killed at each step of an upload, of a send with a file and of the deletion of a file. */

/** The first matching call of the server before or after which it is killed; see `kill-at-step.mjs`. */
interface Step {
  when: "before" | "after";
  call: string;
}

/** A message with a file that a client sends, and what the client has got so far. */
interface Sending {
  content: Uint8Array;
  clientMessageId: string;
  fileId?: string;
}

const killAtStep = ["--import", pathToFileURL(join(__dirname, "support/kill-at-step.mjs")).href];
const twoDaysMs = 2 * 24 * 60 * 60_000;

const processes = new TestProcesses();
let server: ServerProcess;
let ann: Account;
let bob: Account;
/** Those whose message was stored and not deleted. */
const sent: Sending[] = [];

const start = async () => {
  server = await processes.start({ FILE_COLLECT_SECONDS: "1" }, killAtStep);
};
const filesFolder = () => join(processes.dataDir, "files");

beforeAll(async () => {
  await processes.setUp();
  await start();
  ann = await registerAccount(server.port, "Ann");
  bob = await registerAccount(server.port, "Bob");
});

afterAll(() => processes.tearDown());

const noPicture = (): Uint8Array => randomBytes(300_000);

const newSending = (content = noPicture()): Sending => ({
  content,
  clientMessageId: randomBytes(16).toString("hex"),
});

/** Does what a client does until its message is stored. Repeated after a failure, it goes on where it was. */
async function send(sending: Sending): Promise<MessageItem> {
  const { content, clientMessageId } = sending;
  sending.fileId ??= await announce(server, ann, { size: content.length });
  const { fileId } = sending;
  const { status, body } = await putContent(server, ann, fileId, content);
  if (status !== 200) throw new Error(`the file was not uploaded: ${JSON.stringify(body)}`);
  const device = await connect(server, ann.token);
  const params = { receiverId: bob.id, content: "", fileIds: [fileId], clientMessageId };
  const { item } = (await device.request("privateMessage", params)).params;
  await device.close();
  return item;
}

/** Makes the server kill itself at a step. */
async function arm(step: Step): Promise<void> {
  const armed = once(server.child, "message");
  server.child.send(step);
  await armed;
}

async function expectKilled(): Promise<void> {
  expect((await server.exited).signal).toBe("SIGKILL");
}

/** The ids of the files in each message that Bob sees. */
async function shownFiles(): Promise<string[][]> {
  const device = await connect(server, bob.token);
  const { params } = await device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 100, page: 1 });
  await device.close();
  return params.data.map(({ files = [] }) => files.map(({ id }) => id));
}

/** Repeats a send that a kill has interrupted: afterwards Bob has each message once, with its file. */
async function expectSentOnce(sending: Sending): Promise<void> {
  await send(sending);
  sent.push(sending);
  expect((await shownFiles()).sort()).toEqual(sent.map(({ fileId }) => [fileId]).sort());
  for (const { fileId, content } of sent) {
    const { status, content: read } = await download(server, `/files/${fileId}`, { token: bob.token });
    expect([status, read.equals(content)]).toEqual([200, true]);
  }
}

async function objectsOf(fileId: string | undefined): Promise<number> {
  let count = 0;
  for await (const _ of new DiskStorage(filesFolder()).list(fileId)) count++;
  return count;
}

describe("a message with a file is stored once, with its file, by a client that repeats what failed, if the server is killed", () => {
  test("while the content arrives", async () => {
    const sending = newSending();
    sending.fileId = await announce(server, ann, { size: sending.content.length });
    const upload = request(`http://127.0.0.1:${server.port}/files/${sending.fileId}/content`, {
      method: "PUT",
      headers: { authorization: `Bearer ${ann.token}`, "content-length": sending.content.length },
    });
    upload.on("error", () => {});
    upload.write(sending.content.subarray(0, 200_000));
    await until(async () => (await readdir(join(filesFolder(), "incoming")).catch(() => [])).length > 0);
    server.child.kill("SIGKILL");
    await expectKilled();
    upload.destroy();
    await start();
    await expectSentOnce(sending);
  });

  test.each<[title: string, step: Step, content: () => Uint8Array | Promise<Uint8Array>]>([
    ["after its row is stored", { when: "after", call: "INSERT INTO files" }, noPicture],
    ["after the content is received", { when: "before", call: "^rename .*/incoming/" }, noPicture],
    ["before the content becomes an object", { when: "before", call: "^rename .*/objects/" }, noPicture],
    ["between the objects of a picture", { when: "after", call: "^rename .*/objects/.*-320$" }, noisyPicture],
    ["before the original of a picture", { when: "after", call: "^rename .*/objects/.*-640$" }, noisyPicture],
    ["after the object is stored", { when: "after", call: "^rename .*/objects/" }, noPicture],
    ["before the file is ready", { when: "before", call: "SET state = 'ready'" }, noPicture],
    ["after the file is ready", { when: "after", call: "SET state = 'ready'" }, noPicture],
    ["before the message is stored", { when: "before", call: "send_messages_with_files" }, noPicture],
    ["after the message is stored", { when: "after", call: "send_messages_with_files" }, noPicture],
  ])("%s", async (_title, step, content) => {
    const sending = newSending(await content());
    await arm(step);
    await expect(send(sending)).rejects.toThrow();
    await expectKilled();
    await start();
    await expectSentOnce(sending);
  });

  test("at any moment", async () => {
    for (let round = 0; round < 3; round++) {
      const sendings = [newSending(), newSending(await noisyPicture()), newSending()];
      const sends = sendings.map((sending) => send(sending).catch(() => {}));
      await wait(Math.random() * 150);
      server.child.kill("SIGKILL");
      await expectKilled();
      await Promise.all(sends);
      await start();
      for (const sending of sendings) {
        await send(sending);
        sent.push(sending);
      }
    }
    await expectSentOnce(newSending());
  });
});

describe("a file of a deleted message is deleted completely if the server is killed", () => {
  test.each<[title: string, step: Step]>([
    ["after it is marked", { when: "before", call: "^rm .*/objects/" }],
    ["between its objects", { when: "after", call: "^rm .*/objects/" }],
    ["before its row is deleted", { when: "before", call: "DELETE FROM files" }],
    ["after its row is deleted", { when: "after", call: "DELETE FROM files" }],
  ])("%s", async (_title, step) => {
    const sending = newSending(await noisyPicture());
    const { messageId } = await send(sending);
    expect(await objectsOf(sending.fileId)).toBe(3);
    // A file of the test before may still be waiting to be deleted.
    await arm({ ...step, call: `${step.call}.*${sending.fileId}` });
    const device = await connect(server, ann.token);
    await device.request("deleteMessage", { messageId });
    await expectKilled();
    await start();
    expect((await download(server, `/files/${sending.fileId}`, { token: bob.token })).status).toBe(404);
    await until(async () => (await objectsOf(sending.fileId)) === 0);
  });
});

/** What lies in a folder and in those below it. */
const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

test("what the kills have left is collected a day later, and fsck finds nothing", async () => {
  await server.stop("SIGTERM");
  const [objects, incoming] = [join(filesFolder(), "objects"), join(filesFolder(), "incoming")];
  await new DiskStorage(filesFolder()).put("018996c8-7d2a-7c41-9d4e-2f3b6a1c0d5e/0000", { bytes: Buffer.from("x") });
  expect(await filesIn(incoming)).not.toEqual([]);
  const before = new Date(Date.now() - twoDaysMs);
  for (const path of [...(await filesIn(objects)), ...(await filesIn(incoming))]) await utimes(path, before, before);
  const messenger = await TestMessenger.start({ ...processes.settings, FILE_COLLECT_SECONDS: "1" });
  try {
    const find = () => checkFiles(messenger.db, new DiskStorage(filesFolder()), Date.now());
    await until(async () => (await filesIn(incoming)).length === 0 && (await find()).length === 0);
    const ids = await messenger.sql<{ id: string }>(
      `SELECT id FROM files WHERE removed_at IS NOT NULL
          OR state = 'ready' AND NOT EXISTS (SELECT FROM message_files WHERE file_id = files.id)`,
    );
    expect(ids).toEqual([]);
    const claimed = await messenger.sql<{ id: string }>("SELECT file_id AS id FROM message_files ORDER BY file_id");
    expect(claimed.map(({ id }) => id)).toEqual(sent.map(({ fileId }) => fileId).sort());
  } finally {
    await messenger.stop();
  }
});
