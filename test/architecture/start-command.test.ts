import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { startFlags } from "../support/process.ts";

test("the image starts Node with the same flags as npm start", () => {
  const dockerfile = readFileSync(new URL("../../Dockerfile", import.meta.url), "utf8");
  const command: unknown = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? "[]");
  expect(command).toEqual(["node", ...startFlags, "dist/main.js"]);
  expect(startFlags).toContain("--max-semi-space-size=64");
});
