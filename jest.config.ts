/** @jest-config-loader esbuild-register */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Config } from "jest";
import { independentOfDatabase } from "./test/support/independent-of-database.ts";

/** What every project shares: TypeScript goes through SWC. */
const base = {
  testEnvironment: "node",
  transform: {
    "^.+\\.[jt]s$": [
      "@swc/jest",
      {
        jsc: {
          target: "es2022",
          parser: { syntax: "typescript", decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: false, useDefineForClassFields: true },
        },
      },
    ],
  },
  // Modules that are ESM only.
  transformIgnorePatterns: [
    "/node_modules/(?!(file-type|strtok3|token-types|uint8array-extras|@tokenizer|@borewit|thumbhash)/)",
  ],
};

const config: Config = {
  // One more than there are cores: tests of what takes a while are waiting most of the time.
  maxWorkers: Math.min(availableParallelism() + 1, 8),
  // For machines that are much slower. A test that hangs takes so long, too.
  testTimeout: 120_000,
  projects: [
    { ...base, displayName: "architecture", testMatch: ["<rootDir>/test/architecture/**/*.test.ts"] },
    {
      ...base,
      displayName: "messenger",
      testMatch: ["<rootDir>/test/**/*.test.ts", "<rootDir>/packages/client/test/**/*.test.ts"],
      testPathIgnorePatterns: [
        "<rootDir>/test/architecture/",
        // What they test does not depend on the database: with a server for it, they would only repeat themselves.
        ...(process.env.TEST_DATABASE_URL
          ? [
              "<rootDir>/test/web/",
              "<rootDir>/packages/client/test/",
              ...independentOfDatabase(join(__dirname, "test")),
            ]
          : []),
      ],
      setupFiles: ["<rootDir>/test/support/set-up-worker.ts"],
      globalSetup: "<rootDir>/test/support/global-setup.ts",
      globalTeardown: "<rootDir>/test/support/global-teardown.ts",
    },
  ],
};

export default config;
