import { openSockets } from "./open-sockets.ts";
import { serveLoad } from "./serve-load.ts";

/** Opens a socket for each token and holds them open. */
export interface HoldJob {
  url: string;
  tokens: string[];
}

await serveLoad<HoldJob, null>(async ({ url, tokens }) => {
  await openSockets(url, tokens);
  return async () => null;
});
