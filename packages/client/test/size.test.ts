import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "@jest/globals";

// The target is 15 KiB. Until it is reached, this keeps the main entry from growing unnoticed.
test("the main entry has at most 23.25 KiB as gzip; `npm run bench -- size` shows its parts", () => {
  const bundle = readFileSync(new URL("../../../dist/client.js", import.meta.url));
  expect(gzipSync(bundle, { level: 9 }).length).toBeLessThanOrEqual(23.25 * 1024);
});
