import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { DiskStorage } from "../src/files/disk-storage.ts";
import { openStorage } from "../src/files/open-storage.ts";
import { parseS3Url } from "../src/files/s3-storage.ts";
import { type FileStorage, StorageUnavailableError, type StoredObject } from "../src/files/storage.ts";
import { startS3, type TestS3 } from "./support/s3.ts";

let folder: string;
let s3: TestS3;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "storage-"));
  s3 = await startS3();
});

afterAll(async () => {
  await s3.stop();
  await rm(folder, { recursive: true });
});

const bytesOf = async (storage: FileStorage, key: string, range?: { start: number; end: number }) => {
  const stream = await storage.get(key, range);
  return stream && buffer(stream);
};

async function objectsOf(storage: FileStorage, owner?: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of storage.list(owner)) objects.push(object);
  return objects;
}

describe.each(["disk", "S3"])("a storage on %s", (kind) => {
  let storage: FileStorage;

  beforeAll(async () => {
    const dataDir = join(folder, kind);
    storage = await openStorage({ url: kind === "S3" ? s3.url : undefined, dataDir });
  });

  test("an object is read as it was stored, whole or in part", async () => {
    const key = `${randomUUID()}/a`;
    await storage.put(key, { bytes: Buffer.from("0123456789") });
    expect(await bytesOf(storage, key)).toEqual(Buffer.from("0123456789"));
    expect(await bytesOf(storage, key, { start: 3, end: 5 })).toEqual(Buffer.from("345"));
  });

  test("a file becomes an object", async () => {
    const path = join(folder, `source-${kind}`);
    const content = Buffer.alloc(300_000, "abcdefg");
    await writeFile(path, content);
    const key = `${randomUUID()}/a`;
    await storage.put(key, { path, size: content.length });
    expect((await bytesOf(storage, key))?.equals(content)).toBe(true);
  });

  test("an object that does not exist is undefined, and deleting it succeeds", async () => {
    const key = `${randomUUID()}/a`;
    expect(await storage.get(key)).toBeUndefined();
    await storage.delete(key);
    await storage.put(key, { bytes: Buffer.from("x") });
    await storage.delete(key);
    expect(await storage.get(key)).toBeUndefined();
  });

  test("storing an object again succeeds", async () => {
    const key = `${randomUUID()}/a`;
    await storage.put(key, { bytes: Buffer.from("x") });
    await storage.put(key, { bytes: Buffer.from("x") });
    expect(await bytesOf(storage, key)).toEqual(Buffer.from("x"));
  });

  test("objects are listed by owner and all together", async () => {
    const [owner, other] = [randomUUID(), randomUUID()];
    await storage.put(`${owner}/a`, { bytes: Buffer.from("x") });
    await storage.put(`${owner}/b`, { bytes: Buffer.from("xyz") });
    await storage.put(`${other}/a`, { bytes: Buffer.from("x") });
    const own = await objectsOf(storage, owner);
    expect(own.map(({ key, size }) => [key, size]).sort()).toEqual([
      [`${owner}/a`, 1],
      [`${owner}/b`, 3],
    ]);
    for (const { modifiedAt } of own) expect(Math.abs(modifiedAt.getTime() - Date.now())).toBeLessThan(60_000);
    const keys = (await objectsOf(storage)).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining([`${owner}/a`, `${owner}/b`, `${other}/a`]));
  });

  test("a key that leaves the storage is refused", async () => {
    for (const key of ["../a", "a/../../b", "a", "/a/b", "a/b/c", "a/b\0", "A/b"]) {
      await expect(storage.put(key, { bytes: Buffer.from("x") })).rejects.toThrow("invalid key");
      await expect(storage.get(key)).rejects.toThrow("invalid key");
    }
  });
});

test("files on disk are readable by their owner only, and nothing temporary is left", async () => {
  const dataDir = join(folder, "modes");
  const storage = await openStorage({ url: undefined, dataDir });
  await storage.put("owner/a", { bytes: Buffer.from("x") });
  await expect(storage.put("owner/b", { path: join(folder, "missing"), size: 1 })).rejects.toThrow("ENOENT");
  expect((await stat(join(dataDir, "files", "objects"))).mode & 0o77).toBe(0);
  expect(await readdir(join(dataDir, "files", "incoming"))).toEqual([]);
  expect(storage).toBeInstanceOf(DiskStorage);
});

test("a bucket that does not answer is unavailable", async () => {
  const other = await startS3();
  const storage = await openStorage({ url: other.url, dataDir: folder });
  await other.stop();
  await expect(storage.put("owner/a", { bytes: Buffer.from("x") })).rejects.toThrow(StorageUnavailableError);
  await expect(storage.get("owner/a")).rejects.toThrow(StorageUnavailableError);
});

test("the address of a bucket has credentials, a prefix, an endpoint and a region", () => {
  expect(parseS3Url("s3://key:s%2Fcret@bucket/some/prefix/?endpoint=http://127.0.0.1:9000&region=eu-1")).toEqual({
    bucket: "bucket",
    prefix: "some/prefix/",
    endpoint: "http://127.0.0.1:9000",
    region: "eu-1",
    credentials: { accessKeyId: "key", secretAccessKey: "s/cret" },
  });
  expect(parseS3Url("s3://bucket")).toMatchObject({ bucket: "bucket", prefix: "", credentials: undefined });
});
