import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";

const root = join(__dirname, "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

/** Runs what `npm start -- …` runs. */
function start(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/start.mjs", ...args], {
    cwd: root,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

describe("npm start", () => {
  test.each(["--help", "-h"])("with %s prints help and starts nothing", (option) => {
    expect(start(option)).toEqual({ status: 0, stdout: expect.stringMatching(/^Usage: npm start\n/), stderr: "" });
  });

  test("with --version prints the version and starts nothing", () => {
    expect(start("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test.each([["--port=80"], ["main", "--port=80"], ["server"], ["../main"], ["cli/nothing"], [""]])(
    "with the unknown argument %s %s prints one line and fails",
    (...args) => {
      expect(start(...args)).toEqual({
        status: 1,
        stdout: "",
        stderr: `Unknown argument: ${args.at(-1)}. For help: npm start -- --help\n`,
      });
    },
  );
});
