import { pushFrame } from "../contract/frames.ts";
import type { Presence } from "../services/presence/presence-store.ts";
import type { Connection } from "./connection.ts";
import { textFrame } from "./socket-writer.ts";

/** Pushes the presence of a watched user to one socket. An ephemeral push is dropped if the client reads slowly. */
export function pushPresence(connection: Connection, item: Presence, { ephemeral }: { ephemeral: boolean }): void {
  const frame = textFrame(JSON.stringify(pushFrame("presence", { message: null, senderName: null, item })));
  connection.push({ frame, ...(ephemeral && { ephemeral: "presence" }) });
}
