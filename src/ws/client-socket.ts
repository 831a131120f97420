import { WebSocket } from "ws";
import type { Connection } from "./connection.ts";

/**
 * The WebSocket of a client. It knows its connection, so that all sockets share their listeners: there may be many
 * sockets, most of them silent, and listeners of its own would cost each of them 0.3 KiB.
 */
export class ClientSocket extends WebSocket {
  /** None for a socket that is turned away. */
  connection: Connection | undefined;
}

/** Makes one listener for all sockets of what is to be done with a connection when the event comes. */
export function sharedListener<Args extends unknown[]>(
  handle: (connection: Connection, ...args: Args) => void,
): (this: WebSocket, ...args: Args) => void {
  return function (...args) {
    if (this instanceof ClientSocket && this.connection) handle(this.connection, ...args);
  };
}
