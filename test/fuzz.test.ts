import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { messageTypes, registry } from "../src/ws/registry.ts";
import { Random } from "./chaos/random.ts";
import { badFrames } from "./fuzz/bad-frames.ts";
import { HealthyPair } from "./fuzz/healthy-pair.ts";
import { protocolViolations } from "./fuzz/protocol-violations.ts";
import { Fuzzer } from "./fuzz/run.ts";
import { errorLines, fuzzSettings, registerPeople } from "./fuzz/server.ts";
import type { Account } from "./support/accounts.ts";
import { makeDatabase, type TestDatabase } from "./support/databases.ts";
import { ServerProcess } from "./support/process.ts";
import { RawSocket } from "./support/raw-socket.ts";

/* A short run of the fuzzer against a server process. `npm run fuzz` is the long one. */

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 1_000_000));

let database: TestDatabase;
let server: ServerProcess;
let people: Account[];

beforeAll(async () => {
  database = await makeDatabase();
  server = await ServerProcess.start({ ...fuzzSettings, ...database.settings });
  people = await registerPeople(server, 4);
});

afterAll(async () => {
  await server?.stop("SIGKILL");
  await database?.remove();
});

describe("a socket that violates the protocol", () => {
  const cases = Object.entries(protocolViolations).flatMap(([kind, { codes, bytes }]) =>
    codes.map((code) => ({ kind, code, bytes })),
  );

  test.each(cases)("by $kind is closed with $code", async ({ code, bytes }) => {
    const socket = await RawSocket.open(server.port, people[0]?.token ?? "");
    socket.write(bytes(new Random(seed), messageTypes.typing));
    expect(await socket.closed).toBe(code);
    expect(socket.texts).toEqual([]);
  });
});

test("two users chat undisturbed while others send bad frames of all kinds, and each bad frame gets one error", async () => {
  const [ann, bob, ...attackers] = people;
  if (!ann || !bob) throw new Error("too few accounts");
  const fuzzer = new Fuzzer(server.port, seed);
  const pair = await HealthyPair.start(server.port, [ann, bob], 20);
  // Enough for all pairs of kind and message type.
  await fuzzer.run(attackers, Object.keys(badFrames).length * registry.size * 1.1);
  const { faults: pairFaults } = await pair.finish();
  const { report } = fuzzer;
  expect({ seed, faults: [...report.faults, ...pairFaults] }).toEqual({ seed, faults: [] });
  expect(Object.keys(report.byKind)).toHaveLength(
    Object.keys(badFrames).length + Object.keys(protocolViolations).length,
  );
  const { code, output } = await server.stop("SIGTERM");
  expect({ seed, code, errors: errorLines(output) }).toEqual({ seed, code: 0, errors: [] });
}, 60_000);
