import { serveRelay } from "./relay-server.ts";

// The limit of `ws` itself: nothing is stored.
serveRelay((_message, done) => done());
