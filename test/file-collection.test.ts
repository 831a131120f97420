import { once } from "node:events";
import { rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { backupMark, isBackupRunning } from "../src/files/backup-mark.ts";
import { DiskStorage } from "../src/files/disk-storage.ts";
import { IncomingFiles } from "../src/files/incoming-file.ts";
import { openStorage } from "../src/files/open-storage.ts";
import type { FileStorage } from "../src/files/storage.ts";
import { checkFiles } from "../src/services/files/check-files.ts";
import { FileCollection } from "../src/services/files/file-collection.ts";
import { announce, download, putContent, upload } from "./support/files.ts";
import { TestMessenger } from "./support/messenger.ts";
import { recordLog } from "./support/recorded-log.ts";
import { startS3, type TestS3 } from "./support/s3.ts";
import { annAndBob, createGroup, participant } from "./support/scenes.ts";
import { until } from "./support/until.ts";

/* What becomes of files that no message has, of a storage that fails, and of malware. */

const inADay = () => Date.now() + 2 * 86_400_000;

const objectsOf = async (storage: FileStorage, owner: string) => {
  let count = 0;
  for await (const _ of storage.list(owner)) count++;
  return count;
};

describe.each(["disk", "S3"])("files on %s", (kind) => {
  let s3: TestS3;
  let messenger: TestMessenger;
  let storage: FileStorage;

  beforeAll(async () => {
    s3 = await startS3();
    messenger = await TestMessenger.start({
      FILE_COLLECT_SECONDS: "1",
      ...(kind === "S3" && { FILES_URL: s3.url }),
    });
    storage = await openStorage({ url: kind === "S3" ? s3.url : undefined, dataDir: messenger.dataDir });
  });

  afterAll(async () => {
    await messenger.stop();
    await s3.stop();
  });

  const exists = async (id: string) =>
    (await messenger.sql("SELECT id FROM files WHERE id = $id", { id })).length > 0 ||
    (await objectsOf(storage, id)) > 0;

  test("files of deleted messages are deleted, others stay", async () => {
    const { ann, bob } = await annAndBob(messenger);
    const kept = await upload(messenger, ann);
    const unsent = await upload(messenger, ann);
    const deleted = await upload(messenger, ann);
    await ann.device.request("privateMessage", { receiverId: bob.id, content: "", fileIds: [kept] });
    const { item } = (
      await ann.device.request("privateMessage", { receiverId: bob.id, content: "", fileIds: [deleted] })
    ).params;
    await ann.device.request("deleteMessage", { messageId: item.messageId });
    await until(async () => !(await exists(deleted)));
    for (const id of [kept, unsent]) expect(await exists(id)).toBe(true);
    expect((await download(messenger, `/files/${kept}`, { token: bob.token })).status).toBe(200);

    await messenger.sql("UPDATE files SET collect_at = clock_timestamp() WHERE id = $unsent", { unsent });
    await until(async () => !(await exists(unsent)));
    expect(await checkFiles(messenger.db, storage, inADay())).toEqual([]);
  });

  test("a file that is being deleted cannot be sent, and one that was sent meanwhile stays", async () => {
    const { ann, bob } = await annAndBob(messenger);
    const going = await upload(messenger, ann);
    await messenger.sql("UPDATE files SET removed_at = clock_timestamp() WHERE id = $going", { going });
    const params = { receiverId: bob.id, content: "", fileIds: [going] };
    expect((await ann.device.requestError("privateMessage", params)).code).toBe("CONFLICT");
    const sent = await upload(messenger, ann);
    await ann.device.request("privateMessage", { receiverId: bob.id, content: "", fileIds: [sent] });
    await messenger.sql("UPDATE files SET collect_at = clock_timestamp() WHERE id = $sent", { sent });
    await until(async () => {
      const [row] = await messenger.sql<{ at: Date | null }>("SELECT collect_at AS at FROM files WHERE id = $sent", {
        sent,
      });
      return row?.at === null;
    });
    expect(await exists(sent)).toBe(true);
  });

  test("fsck names missing objects, and objects without a file", async () => {
    const { ann, bob } = await annAndBob(messenger);
    const lost = await upload(messenger, ann);
    const { item } = (await ann.device.request("privateMessage", { receiverId: bob.id, content: "", fileIds: [lost] }))
      .params;
    for await (const { key } of storage.list(lost)) await storage.delete(key);
    const orphan = "018996c8-7d2a-7c41-9d4e-2f3b6a1c0d5e/0000";
    await storage.put(orphan, { bytes: Buffer.from("x") });
    expect(await checkFiles(messenger.db, storage, inADay())).toEqual([
      { invariant: "file-has-object", fileId: lost, messageIds: [item.messageId], size: 12, storedSize: null },
      { invariant: "object-has-file", object: orphan },
    ]);
    expect(await checkFiles(messenger.db, storage, Date.now())).toHaveLength(1);
    await storage.delete(orphan);
    await ann.device.request("deleteMessage", { messageId: item.messageId });
    await until(async () => !(await exists(lost)));
  });
});

test("while the bucket does not answer, uploads and downloads are UNAVAILABLE, and messages go on", async () => {
  const s3 = await startS3();
  const { log, lines } = recordLog();
  const messenger = await TestMessenger.start({ FILES_URL: s3.url }, log);
  try {
    const { ann, bob } = await annAndBob(messenger);
    const before = await upload(messenger, ann, "before");
    const fileId = await announce(messenger, ann, { size: 5 });
    await s3.pause();
    const put = await putContent(messenger, ann, fileId, Buffer.from("after"));
    expect([put.status, put.body.code]).toEqual([503, "UNAVAILABLE"]);
    expect((await download(messenger, `/files/${before}`, { token: ann.token })).status).toBe(503);
    await ann.device.request("privateMessage", { receiverId: bob.id, content: "still here" });
    await s3.resume();
    expect((await putContent(messenger, ann, fileId, Buffer.from("after"))).status).toBe(200);
    expect(String((await download(messenger, `/files/${before}`, { token: ann.token })).content)).toBe("before");
    expect(lines.messages.filter((message) => message.includes("storage"))).toEqual([
      "the storage of files is unavailable",
      "the storage of files works again",
    ]);
  } finally {
    await messenger.stop();
    await s3.stop();
  }
});

test("no file is deleted while a backup runs", async () => {
  const messenger = await TestMessenger.start({ FILE_COLLECT_SECONDS: "1" });
  try {
    const ann = await participant(messenger);
    const fileId = await upload(messenger, ann);
    const folder = join(messenger.dataDir, "files");
    const mark = join(folder, backupMark);
    await writeFile(mark, "");
    const collection = new FileCollection({
      database: messenger.db,
      storage: new DiskStorage(folder),
      incoming: new IncomingFiles(folder),
      isPaused: (now) => isBackupRunning(folder, now),
      onCollected: () => {},
    });
    await messenger.sql("UPDATE files SET collect_at = clock_timestamp()");
    expect(await collection.collectSome(Date.now())).toBe(false);
    expect(await objectsOf(new DiskStorage(folder), fileId)).toBe(1);
    await rm(mark);
    await until(async () => (await messenger.sql("SELECT id FROM files")).length === 0);
  } finally {
    await messenger.stop();
  }
});

describe("a scanner", () => {
  test("refuses malware, lets clean files pass, and keeps nothing while it fails", async () => {
    const messenger = await TestMessenger.start({ FILE_SCAN_COMMAND: "grep -qv EICAR" });
    try {
      const { ann, bob } = await annAndBob(messenger);
      const clean = await upload(messenger, ann, "clean");
      const fileId = await announce(messenger, ann, { size: 5 });
      const refused = await putContent(messenger, ann, fileId, Buffer.from("EICAR"));
      expect([refused.status, refused.body.code]).toEqual([409, "CONFLICT"]);
      expect((await putContent(messenger, ann, fileId, Buffer.from("clean"))).status).toBe(409);
      expect((await download(messenger, `/files/${fileId}`, { token: ann.token })).status).toBe(404);
      const params = { receiverId: bob.id, content: "" };
      expect((await ann.device.requestError("privateMessage", { ...params, fileIds: [fileId] })).code).toBe("CONFLICT");
      await ann.device.request("privateMessage", { ...params, fileIds: [clean] });
    } finally {
      await messenger.stop();
    }
  });

  test("of the protocol of clamd", async () => {
    const answers = ["stream: OK", "stream: Eicar-Test-Signature FOUND", "INSTREAM size limit exceeded. ERROR"];
    const received: string[] = [];
    const clamd = createServer(async (socket) => {
      let bytes = Buffer.alloc(0);
      // Stopped reading, the socket can still answer.
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        bytes = Buffer.concat([bytes, chunk]);
        if (bytes.subarray(-4).equals(Buffer.alloc(4)) && bytes.length > 14) break;
      }
      received.push(bytes.subarray(0, 10).toString("latin1"));
      socket.end(`${answers.shift()}\0`);
    });
    clamd.listen(0, "127.0.0.1");
    await once(clamd, "listening");
    const address = clamd.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const messenger = await TestMessenger.start({ FILE_SCAN_CLAMD: `127.0.0.1:${port}` });
    try {
      const ann = await participant(messenger);
      const statuses = [];
      for (let round = 0; round < 3; round++) {
        const fileId = await announce(messenger, ann, { size: 5 });
        statuses.push((await putContent(messenger, ann, fileId, Buffer.from("12345"))).status);
      }
      expect(statuses).toEqual([200, 409, 503]);
      expect(received).toEqual(Array(3).fill("zINSTREAM\0"));
      clamd.close();
      const fileId = await announce(messenger, ann, { size: 5 });
      expect((await putContent(messenger, ann, fileId, Buffer.from("12345"))).status).toBe(503);
      await expect(stat(join(messenger.dataDir, "files", "objects", fileId))).rejects.toThrow("ENOENT");
    } finally {
      await messenger.stop();
      clamd.close();
    }
  });
});

test("a user cannot add someone to a group to read old files of another group", async () => {
  const messenger = await TestMessenger.start();
  try {
    const { ann, bob } = await annAndBob(messenger);
    const mallory = await participant(messenger);
    const secret = await createGroup(ann.device, [bob]);
    const own = await createGroup(mallory.device, [bob]);
    const fileId = await upload(messenger, ann);
    await ann.device.request("messageInGroup", { groupId: secret, content: "", fileIds: [fileId] });
    const params = { groupId: own, content: "", fileIds: [fileId] };
    expect((await mallory.device.requestError("messageInGroup", params)).code).toBe("CONFLICT");
    expect((await download(messenger, `/files/${fileId}`, { token: mallory.token })).status).toBe(404);
  } finally {
    await messenger.stop();
  }
});
