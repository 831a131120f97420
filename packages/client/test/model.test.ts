import { jest, test } from "@jest/globals";
import fc from "fast-check";
import { type Action, type ActionName, ModelWorld } from "./support/model-world.ts";

type Sdk = typeof import("../src/index.ts");

/** More than programs run at once, so that a restarted one has a copy of its own. */
const copies = 12;
const runs = Number(process.env.MODEL_RUNS ?? 30);
const seed = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000_000);
const shrinkSeconds = Number(process.env.MODEL_SHRINK ?? 0);
const path = process.env.MODEL_PATH;
const entry = process.env.CLIENT_SDK ?? "../src/index.ts";
const dayMs = 86_400_000;

const weights: Record<ActionName, number> = {
  send: 16,
  sendMany: 5,
  forward: 4,
  edit: 5,
  delete: 3,
  react: 8,
  pin: 4,
  markRead: 4,
  clear: 1,
  typing: 1,
  settings: 6,
  draft: 4,
  preferences: 3,
  open: 6,
  older: 5,
  newer: 4,
  closeTimeline: 2,
  createGroup: 2,
  add: 3,
  leave: 1,
  remove: 1,
  rename: 1,
  retry: 2,
  discard: 1,
  logout: 1,
  login: 2,
  kill: 3,
  restart: 6,
  lose: 5,
  stall: 1,
  closeCode: 2,
  refuse: 1,
  revoke: 1,
  prune: 1,
  backUp: 1,
  restore: 1,
  renameUser: 1,
  pushUnknown: 1,
  "newer server": 1,
  slow: 2,
  fast: 2,
  fault: 8,
  httpFault: 2,
  advance: 30,
  advanceLong: 4,
  clock: 1,
};
const numbers = { p: fc.nat(20), n: fc.nat(1000), m: fc.nat(1000) };
const action = fc.oneof(
  ...Object.entries(weights).map(([name, weight]) => ({
    weight,
    arbitrary: fc.record({ do: fc.constant(name as ActionName), ...numbers }) as fc.Arbitrary<Action>,
  })),
);

function loadSdks(): Sdk[] {
  return Array.from({ length: copies }, () => {
    let sdk: Sdk | undefined;
    jest.isolateModules(() => {
      sdk = require(entry);
    });
    return sdk as Sdk;
  });
}

test("the promises hold, whatever users, devices, network and server do", async () => {
  const sdks = loadSdks();
  let day = 1;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(action, { minLength: 20, maxLength: 120, size: "max" }),
      async (random, actions) => {
        const world = new ModelWorld(sdks, random, 20_000 * dayMs + day++ * dayMs);
        try {
          await world.start();
          for (const one of actions) {
            if (one.do === "advance") await world.advance(one.n % 8 === 0 ? one.m * 10 : one.m % 60);
            else if (one.do === "advanceLong") await world.advance(one.m * 1000);
            else await world.run(one);
            if (world.violations.length > 0) break;
          }
          if (world.violations.length === 0) await world.finish();
        } finally {
          world.stop();
        }
        if (world.violations.length > 0) throw new Error([...new Set(world.violations)].slice(0, 5).join("\n"));
      },
    ),
    {
      seed,
      numRuns: runs,
      ...(path !== undefined && { path }),
      ...(shrinkSeconds === 0 ? { endOnFailure: true } : { interruptAfterTimeLimit: shrinkSeconds * 1000 }),
    },
  );
}, 600_000);
