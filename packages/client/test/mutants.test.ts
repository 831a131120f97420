import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { mutants } from "./mutants.ts";

test.each(mutants)('the deliberate fault "$name" fits to the source', ({ edits }) => {
  for (const { in: file, from } of edits) {
    const source = readFileSync(join(__dirname, "../src", file), "utf8");
    expect([from, source.split(from).length - 1]).toEqual([from, 1]);
  }
});
