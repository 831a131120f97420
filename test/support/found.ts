import { describe } from "@jest/globals";

/**
 * Tests that need a program this machine may not have: skipped with a line that says so, and failed where nothing may
 * be skipped (CI=true).
 */
export function describeWith(what: string, found: boolean, title: string, tests: () => void): void {
  if (found || process.env.CI === "true") describe(title, tests);
  else {
    process.stderr.write(`skipped, for want of ${what}: ${title}\n`);
    describe.skip(title, tests);
  }
}
