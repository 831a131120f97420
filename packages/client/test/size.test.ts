import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "@jest/globals";

test("the main entry has at most 15 KiB as gzip; `npm run bench -- size` shows its parts", () => {
  const bundle = readFileSync(new URL("../../../dist/client.js", import.meta.url));
  expect(gzipSync(bundle, { level: 9 }).length).toBeLessThanOrEqual(15 * 1024);
});
