import "fake-indexeddb/auto";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, jest, test } from "@jest/globals";
import { indexedDb, type Json, memory, type Store } from "../src/index.ts";
import { file } from "../src/node.ts";
import { Program } from "./support/program.ts";

const folder = mkdtempSync(join(tmpdir(), "messenger-store-"));
const opened: Store[] = [];
let count = 0;

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close?.()));
});
afterAll(() => rmSync(folder, { recursive: true }));

function open(store: Store): Required<Omit<Store, "keepsBlobs">> {
  opened.push(store);
  const { batch, lock, close = async () => {} } = store;
  if (!batch || !lock) throw new Error("the store is not complete");
  return { ...store, batch, lock, close };
}

const newPath = () => join(folder, `store-${++count}`, "store.jsonl");

describe.each<[string, () => Store]>([
  ["memory", memory],
  ["indexedDb", () => indexedDb(`database-${++count}`)],
  ["file", () => file(newPath())],
])("the store %s", (_name, make) => {
  test("returns what was written last, and undefined for what was not written or was deleted", async () => {
    const store = open(make());
    expect(await store.get("a")).toBeUndefined();
    await store.set("a", 1);
    await store.set("a", { list: [1, "two", null, true], empty: "" });
    expect(await store.get("a")).toEqual({ list: [1, "two", null, true], empty: "" });
    await store.delete("a");
    await store.delete("a");
    expect(await store.get("a")).toBeUndefined();
  });

  test("keeps null and false apart from nothing", async () => {
    const store = open(make());
    await store.set("null", null);
    await store.set("false", false);
    expect(await store.entries()).toEqual([
      ["false", false],
      ["null", null],
    ]);
  });

  test("lists the entries with a prefix, ordered by key", async () => {
    const store = open(make());
    const keys = ["b/2", "b/10", "a", "b", "b/1", "c", "b/ä", "b/😀"];
    for (const key of keys) await store.set(key, key);
    expect(await store.entries("b/")).toEqual(["b/1", "b/10", "b/2", "b/ä", "b/😀"].map((key) => [key, key]));
    expect((await store.entries()).map(([key]) => key)).toEqual([...keys].sort());
  });

  test("holds copies: an object that is changed later is not changed in the store", async () => {
    const store = open(make());
    const value = { text: "written" };
    await store.set("a", value);
    value.text = "changed";
    expect(await store.get("a")).toEqual({ text: "written" });
    const read = (await store.get("a")) as { text: string };
    read.text = "changed";
    expect(await store.entries()).toEqual([["a", { text: "written" }]]);
  });

  test("makes the writes of a batch in their order", async () => {
    const store = open(make());
    await store.set("old", 1);
    await store.batch([{ key: "a", value: 1 }, { key: "a", value: 2 }, { key: "old" }, { key: "b", value: [] }]);
    expect(await store.entries()).toEqual([
      ["a", 2],
      ["b", []],
    ]);
  });

  test("makes concurrent writes in the order of the calls", async () => {
    const store = open(make());
    const writes = Array.from({ length: 50 }, (_, index) => store.set("a", index));
    await Promise.all([...writes, store.delete("b"), store.set("b", 1)]);
    expect(await store.entries()).toEqual([
      ["a", 49],
      ["b", 1],
    ]);
  });

  test("runs the work of one lock at a time, also after one has failed", async () => {
    const store = open(make());
    const steps: string[] = [];
    const work = (name: string) => async () => {
      steps.push(`${name} begins`);
      await store.set("a", name);
      steps.push(`${name} ends`);
      if (name === "one") throw new Error("failed");
      return name;
    };
    const one = store.lock("l", work("one"));
    const two = store.lock("l", work("two"));
    await expect(one).rejects.toThrow("failed");
    expect(await two).toBe("two");
    expect(steps).toEqual(["one begins", "one ends", "two begins", "two ends"]);
  });

  test("lets locks of other names pass", async () => {
    const store = open(make());
    expect(await store.lock("outer", () => store.lock("inner", async () => "reached"))).toBe("reached");
  });
});

describe("the file", () => {
  test("survives a restart", async () => {
    const path = newPath();
    const first = open(file(path));
    await first.batch([
      { key: "a", value: "line\nbreak" },
      { key: "b", value: 2 },
    ]);
    await first.delete("b");
    await first.close();
    expect(await open(file(path)).entries()).toEqual([["a", "line\nbreak"]]);
  });

  test("can be read by its owner only: it holds tokens", async () => {
    const path = newPath();
    await open(file(path)).set("a", 1);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("has all writes whose promise resolved when its process is killed, and ignores half a line", async () => {
    const path = newPath();
    const writer = new Program(folder, [
      "--input-type=module",
      "--eval",
      `import { file } from ${JSON.stringify(join(__dirname, "../dist/node.js"))};
       const store = file(${JSON.stringify(path)});
       for (let i = 0; ; i++) {
         await store.set("key " + i, i);
         console.log("stored " + i + ";");
       }`,
    ]);
    await writer.waitFor("stored 100;");
    await writer.end("SIGKILL");
    const last = Number([...writer.output.matchAll(/stored (\d+);/g)].at(-1)?.[1] ?? 100);
    appendFileSync(path, '[{"key":"half","val');

    const first = open(file(path));
    expect(await first.get(`key ${last}`)).toBe(last);
    expect(await first.entries("half")).toEqual([]);
    await first.set("next", 1);
    await first.close();
    const second = open(file(path));
    expect(await second.get("next")).toBe(1);
    expect((await second.entries("key ")).length).toBeGreaterThan(last);
  });

  test("loses nothing that is written after a write that has failed in the middle of a line", async () => {
    const path = newPath();
    const store = open(file(path));
    await store.set("a", 1);
    const { handle } = await openedHandle(store);
    const failure = jest.spyOn(handle, "datasync").mockRejectedValueOnce(new Error("ENOSPC"));
    const write = store.set("b", 2);
    await expect(write).rejects.toThrow("ENOSPC");
    failure.mockRestore();
    // What a full disk leaves of the line.
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.slice(0, -8));
    await store.set("c", 3);
    await store.close();
    expect(await open(file(path)).entries()).toEqual([
      ["a", 1],
      ["c", 3],
    ]);
  });

  test("is written anew when most of its lines are outdated", async () => {
    const path = newPath();
    const store = open(file(path));
    for (let round = 0; round < 6; round++) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => store.set(`key ${index % 10}`, round * index)));
    }
    await store.set("last", true);
    expect(readFileSync(path, "utf8").split("\n").length).toBeLessThan(1100);
    await store.close();
    const again = open(file(path));
    expect(await again.entries()).toHaveLength(11);
    expect(await again.get("key 9")).toBe(5 * 499);
  });

  test("belongs to one process, also after another one was killed", async () => {
    const path = newPath();
    const program = `import { file } from ${JSON.stringify(join(__dirname, "../dist/node.js"))};
       await file(${JSON.stringify(path)}).set("a", 1);
       console.log("stored");
       setInterval(() => {}, 1000);`;
    const other = new Program(folder, ["--input-type=module", "--eval", program]);
    await other.waitFor("stored");
    await expect(open(file(path)).get("a")).rejects.toThrow(/uses this store/);
    await other.end("SIGKILL");
    expect(await open(file(path)).get("a")).toBe(1);
  });

  test("is opened once in a process", async () => {
    const path = newPath();
    const first = open(file(path));
    await first.set("a", 1);
    await expect(open(file(path)).set("a", 2)).rejects.toThrow(/uses this store/);
    await first.close();
    expect(await open(file(path)).get("a")).toBe(1);
  });

  test("is free again if its lock names a process that has ended, whose id another one has", async () => {
    const path = newPath();
    await open(file(path)).set("a", 1);
    await opened[0]?.close?.();
    writeFileSync(`${path}.lock`, `${process.ppid} 1`);
    expect(await open(file(path)).get("a")).toBe(1);
    expect(existsSync(`${path}.lock`)).toBe(true);
  });
});

describe("IndexedDB", () => {
  test("is opened again after another tab has deleted the database", async () => {
    const name = `database-${++count}`;
    const store = open(indexedDb(name));
    await store.set("a", 1);
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = resolve;
      request.onerror = reject;
    });
    expect(await store.get("a")).toBeUndefined();
    await store.set("a", 2);
    expect(await store.get("a")).toBe(2);
  });

  test("shares its entries between tabs", async () => {
    const name = `database-${++count}`;
    const [first, second] = [open(indexedDb(name)), open(indexedDb(name))];
    await first.set("a", 1);
    expect(await second.get("a")).toBe(1);
  });
});

interface OpenFile {
  handle: { datasync(): Promise<void> };
}

/** The handle of a store's file, seen when it writes. */
async function openedHandle(store: Store): Promise<OpenFile> {
  const { open: openFile } = await import("node:fs/promises");
  const probe = await openFile(join(folder, "probe"), "w");
  const prototype = Object.getPrototypeOf(probe) as OpenFile["handle"];
  await probe.close();
  await store.get("probe" satisfies Json & string);
  return { handle: prototype };
}
