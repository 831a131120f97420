/** @jest-config-loader esbuild-register */
import type { Config } from "jest";

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
};

const config: Config = {
  // One more than two cores: tests of what takes a while are waiting most of the time.
  maxWorkers: 3,
  testTimeout: 30_000,
  projects: [
    { ...base, displayName: "architecture", testMatch: ["<rootDir>/test/architecture/**/*.test.ts"] },
    {
      ...base,
      displayName: "messenger",
      testMatch: ["<rootDir>/test/**/*.test.ts", "<rootDir>/packages/client/test/**/*.test.ts"],
      testPathIgnorePatterns: ["<rootDir>/test/architecture/"],
      setupFiles: ["<rootDir>/test/support/scan-fetch.ts"],
      globalSetup: "<rootDir>/test/support/global-setup.ts",
      globalTeardown: "<rootDir>/test/support/global-teardown.ts",
    },
  ],
};

export default config;
