import { indexedDb, Messenger } from "messenger-client";

/** The one client of this page. The server that serves the page is the one it talks to. */
export const messenger = new Messenger({ url: location.origin, store: indexedDb() });
