import { setFlagsFromString } from "node:v8";
import { recordingFetch } from "./leak-scan.ts";
import { testFlags } from "./process.ts";

for (const flag of testFlags) setFlagsFromString(flag);

// The leak scan covers all HTTP requests and responses of the tests.
const { fetch } = globalThis;
globalThis.fetch = (...parameters) => recordingFetch(fetch, ...parameters);
