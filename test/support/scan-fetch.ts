import { witnessedFetch } from "./leak-scan.ts";

// Whoever calls a server in a test does it before a witness.
const { fetch } = globalThis;
globalThis.fetch = (...given) => witnessedFetch(fetch, ...given);
