import { WebSocket } from "ws";
import type { Connection } from "./connection.ts";

/**
 * The WebSocket of a client. It refers to its connection, so that all sockets can share their listeners: separate
 * listeners would cost 0.3 KiB per socket, and most sockets are silent.
 */
export class ClientSocket extends WebSocket {
  /** Undefined for a socket that is closed right after the upgrade. */
  connection: Connection | undefined;
}

/** Makes one listener for all sockets. It calls `handle` with the connection of the socket that emitted the event. */
export function sharedListener<Args extends unknown[]>(
  handle: (connection: Connection, ...args: Args) => void,
): (this: WebSocket, ...args: Args) => void {
  return function (...args) {
    if (this instanceof ClientSocket && this.connection) handle(this.connection, ...args);
  };
}
