import { serveRelay } from "./relay-server.ts";

// The upper bound for `ws` itself: nothing is stored.
serveRelay((_message, done) => done());
