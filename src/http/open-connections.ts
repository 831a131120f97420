import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Share of the connections that one network may have, WebSockets not included. */
const networkShare = 1 / 2;
/** Share of the connections from which on each new one closes an idle one. */
const nearlyFullShare = 0.9;

/** One TCP connection. */
interface OpenConnection {
  socket: Duplex;
  network: string;
  /** The requests in progress, in their order. */
  responses: Set<ServerResponse>;
}

/** The connections of one network, WebSockets not included. */
interface Network {
  count: number;
  /** Those without a request in progress, the longest idle one first. */
  idle: Set<OpenConnection>;
}

/**
 * The TCP connections of the process. No network can use up all of them: it may have half, besides its WebSockets, and
 * when nearly all are in use, each new connection closes the longest idle one of the network with most idle ones.
 */
export class OpenConnections {
  private readonly connections = new Map<Duplex, OpenConnection>();
  private readonly networks = new Map<string, Network>();

  /**
   * @param options.hasNetworks whether the peer of a connection is the client, and not a proxy
   * @param options.onReject called when a connection is closed because its network has too many
   * @param options.onEvict called when an idle connection is closed for a new one
   */
  constructor(
    private readonly options: {
      maxConnections: number;
      hasNetworks: boolean;
      onReject: (network: string, max: number) => void;
      onEvict: () => void;
    },
  ) {}

  /** Adds a new connection, or closes it. One that is passed a second time, after an upgrade was ignored, stays. */
  accept(socket: Duplex, network: string): void {
    if (this.connections.has(socket) || socket.destroyed) return;
    const { maxConnections, hasNetworks, onReject } = this.options;
    const key = hasNetworks ? network : "";
    const maxPerNetwork = Math.ceil(maxConnections * networkShare);
    if (hasNetworks && (this.networks.get(key)?.count ?? 0) >= maxPerNetwork) {
      onReject(key, maxPerNetwork);
      socket.destroy();
      return;
    }
    if (this.connections.size >= maxConnections * nearlyFullShare) this.evict();
    const connection = { socket, network: key, responses: new Set<ServerResponse>() };
    this.connections.set(socket, connection);
    const group = this.networks.get(key) ?? { count: 0, idle: new Set() };
    this.networks.set(key, group);
    group.count++;
    group.idle.add(connection);
    socket.once("close", () => this.remove(connection));
  }

  /** Notes a request that begins, until its response is complete. */
  beginRequest(socket: Duplex, response: ServerResponse): void {
    const connection = this.connections.get(socket);
    if (!connection) return;
    const { responses } = connection;
    responses.add(response);
    this.networks.get(connection.network)?.idle.delete(connection);
    response.once("close", () => {
      responses.delete(response);
      if (responses.size === 0 && this.connections.has(socket))
        this.networks.get(connection.network)?.idle.add(connection);
    });
  }

  /** The requests in progress on a connection, in their order. */
  responsesOn(socket: Duplex): ReadonlySet<ServerResponse> {
    return this.connections.get(socket)?.responses ?? new Set();
  }

  /** Notes an upgrade request that begins. */
  beginUpgrade(socket: Duplex): void {
    const connection = this.connections.get(socket);
    if (connection) this.networks.get(connection.network)?.idle.delete(connection);
  }

  /** Notes that a connection became a WebSocket, which has limits of its own. */
  becomeWebSocket(socket: Duplex): void {
    const connection = this.connections.get(socket);
    if (connection) this.leaveNetwork(connection);
  }

  /** Closes all connections at once. */
  destroyAll(): void {
    for (const socket of [...this.connections.keys()]) socket.destroy();
  }

  private remove(connection: OpenConnection): void {
    this.connections.delete(connection.socket);
    this.leaveNetwork(connection);
  }

  private leaveNetwork(connection: OpenConnection): void {
    const network = this.networks.get(connection.network);
    if (!network || connection.network === webSocketNetwork) return;
    network.idle.delete(connection);
    if (--network.count === 0) this.networks.delete(connection.network);
    connection.network = webSocketNetwork;
  }

  private evict(): void {
    let most: Network | undefined;
    for (const network of this.networks.values()) {
      if (network.idle.size > (most?.idle.size ?? 0)) most = network;
    }
    const [leastRecentlyUsed] = most?.idle ?? [];
    if (!leastRecentlyUsed) return;
    this.options.onEvict();
    this.remove(leastRecentlyUsed);
    leastRecentlyUsed.socket.destroy();
  }
}

/** In place of the network of a connection that is not counted any more. */
const webSocketNetwork = "WebSocket";
