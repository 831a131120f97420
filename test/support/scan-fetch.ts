import { recordingFetch } from "./leak-scan.ts";

// The leak scan covers all HTTP requests and responses of the tests.
const { fetch } = globalThis;
globalThis.fetch = (...parameters) => recordingFetch(fetch, ...parameters);
