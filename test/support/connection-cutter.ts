import { connect, createServer, type Server, type Socket } from "node:net";

/** PostgreSQL's `ReadyForQuery` message with status "idle": the statement is done and no transaction is open. */
const readyForQuery = Buffer.from("Z\0\0\0\u0005I", "latin1");

/**
 * A proxy between the messenger and PostgreSQL that can reset the connection of a given statement: before PostgreSQL
 * receives it, or after the commit and before the response is passed on. In both cases the outcome is unknown to the
 * messenger.
 */
export class ConnectionCutter {
  private pendingCut: { statement: string; when: "before" | "after" } | undefined;
  private onCut: () => void = () => {};

  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  /** Starts a proxy for the PostgreSQL server on this local port. */
  static async inFrontOf(databasePort: number): Promise<ConnectionCutter> {
    const server = createServer();
    const cutter = new ConnectionCutter(server, new Set());
    server.on("connection", (client) => cutter.proxy(client, databasePort));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cutter;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  /** Resets the connection at the next statement containing this text; resolves once that has happened. */
  cutAt(statement: string, when: "before" | "after"): Promise<void> {
    this.pendingCut = { statement, when };
    return new Promise((resolve) => {
      this.onCut = resolve;
    });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private proxy(client: Socket, databasePort: number): void {
    const database = connect(databasePort, "127.0.0.1");
    for (const socket of [client, database]) {
      this.sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.sockets.delete(socket);
        client.destroy();
        database.destroy();
      });
    }
    let isCutPending = false;
    const cut = () => {
      client.resetAndDestroy();
      this.onCut();
    };
    client.on("data", (bytes) => {
      const { pendingCut: wanted } = this;
      if (!wanted || !bytes.includes(wanted.statement)) return database.write(bytes);
      this.pendingCut = undefined;
      if (wanted.when === "before") return cut();
      isCutPending = true;
      return database.write(bytes);
    });
    database.on("data", (bytes) => {
      if (!isCutPending) client.write(bytes);
      else if (bytes.subarray(-6).equals(readyForQuery)) cut();
    });
  }
}
