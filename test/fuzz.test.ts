import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { messageTypes, registry } from "../src/ws/registry.ts";
import { Random } from "./chaos/random.ts";
import { badFrames, breaches } from "./fuzz/bad-input.ts";
import { HealthyPair } from "./fuzz/healthy-pair.ts";
import { type Account, Fuzzer } from "./fuzz/run.ts";
import { registerPeople, settings, troubleIn } from "./fuzz/server.ts";
import { makeDatabase, type TestDatabase } from "./support/databases.ts";
import { ServerProcess } from "./support/process.ts";
import { RawSocket } from "./support/raw-socket.ts";

/* A short round of the fuzzer against a server process; `npm run fuzz` is the long one. */

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 1_000_000));

let database: TestDatabase;
let server: ServerProcess;
let people: Account[];

beforeAll(async () => {
  database = await makeDatabase();
  server = await ServerProcess.start({ ...settings, ...database.settings });
  people = await registerPeople(server, 4);
});

afterAll(async () => {
  await server?.stop("SIGKILL");
  await database?.remove();
});

describe("a socket that breaks the protocol", () => {
  const cases = Object.entries(breaches).flatMap(([kind, { codes, bytes }]) =>
    codes.map((code) => ({ kind, code, bytes })),
  );

  test.each(cases)("by $kind is closed with $code", async ({ code, bytes }) => {
    const socket = await RawSocket.open(server.port, people[0]?.token ?? "");
    socket.write(bytes(new Random(seed), messageTypes.typing));
    expect(await socket.closed).toBe(code);
    expect(socket.texts).toEqual([]);
  });
});

test("two people chat undisturbed while others send everything that is wrong, and each wrong frame gets one error", async () => {
  const [ann, bob, ...vandals] = people;
  if (!ann || !bob) throw new Error("nobody is there");
  const fuzzer = new Fuzzer(server.port, seed);
  const pair = await HealthyPair.meet(server.port, [ann, bob], 20);
  // Enough for every kind to meet every type.
  await fuzzer.run(vandals, Object.keys(badFrames).length * registry.size * 1.1);
  const { faults: notHeard } = await pair.part();
  const { report } = fuzzer;
  expect({ seed, faults: [...report.faults, ...notHeard] }).toEqual({ seed, faults: [] });
  expect(Object.keys(report.byKind)).toHaveLength(Object.keys(badFrames).length + Object.keys(breaches).length);
  const { code, output } = await server.stop("SIGTERM");
  expect({ seed, code, trouble: troubleIn(output) }).toEqual({ seed, code: 0, trouble: [] });
}, 60_000);
