// Loaded into a server process by a test (`node --import kill-at-step.mjs`): the process kills itself before or after the
// first call, of those that write files or query the database, that matches what the test has sent over IPC.
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import pg from "pg";

/** @type {{ when: "before" | "after", call: RegExp } | undefined} */
let step;

process.on("message", (/** @type {{ when: "before" | "after", call: string }} */ { when, call }) => {
  step = { when, call: new RegExp(call) };
  process.send?.("armed");
});
// The IPC channel must not keep the process alive.
process.channel?.unref();

const kill = () => process.kill(process.pid, "SIGKILL");

/**
 * Watches the calls of a method.
 * @param {any} target
 * @param {string} name
 * @param {(argument: any, second: any) => string} describe
 */
function watch(target, name, describe) {
  const original = target[name];
  target[name] = function (/** @type {any[]} */ ...given) {
    const isStep = step?.call.test(`${name} ${describe(given[0], given[1])}`);
    if (!isStep) return original.apply(this, given);
    if (step?.when === "before") kill();
    const callback = given.at(-1);
    if (typeof callback !== "function") return original.apply(this, given).then(kill);
    return original.call(this, ...given.slice(0, -1), kill);
  };
}

watch(fs, "rename", (_from, to) => to);
watch(fs, "rm", (path) => path);
watch(
  pg.Client.prototype,
  "query",
  (query, values) => `${query?.text ?? query} ${Array.isArray(values) ? values.join() : ""}`,
);
syncBuiltinESMExports();
