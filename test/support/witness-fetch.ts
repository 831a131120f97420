import { witnessedFetch } from "./evidence.ts";

// Whoever calls a server in a test does it before a witness.
const { fetch } = globalThis;
globalThis.fetch = (...given) => witnessedFetch(fetch, ...given);
