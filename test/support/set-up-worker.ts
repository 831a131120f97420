import { setFlagsFromString } from "node:v8";
import { recordingFetch } from "./leak-scan.ts";
import { databaseFlags } from "./process.ts";

for (const flag of databaseFlags) setFlagsFromString(flag);

// The leak scan covers all HTTP requests and responses of the tests.
const { fetch } = globalThis;
globalThis.fetch = (...parameters) => recordingFetch(fetch, ...parameters);
