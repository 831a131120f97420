import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * Stands between a messenger and its PostgreSQL and, when told to, cuts a connection at its next COMMIT: before the
 * server has heard of it, or before the answer is back. Whoever asked knows in neither case what has become of it.
 */
export class CommitCutter {
  private when: "before" | "after" | undefined;
  private onCut: () => void = () => {};

  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  /** Stands before the PostgreSQL at this port of this machine. */
  static async before(databasePort: number): Promise<CommitCutter> {
    const server = createServer();
    const cutter = new CommitCutter(server, new Set());
    server.on("connection", (client) => cutter.pass(client, databasePort));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cutter;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  /** Cuts at the next COMMIT; settles when that has happened. */
  cutAtCommit(when: "before" | "after"): Promise<void> {
    this.when = when;
    return new Promise((resolve) => {
      this.onCut = resolve;
    });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(client: Socket, databasePort: number): void {
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
    let isDoomed = false;
    const cut = () => {
      client.resetAndDestroy();
      this.onCut();
    };
    client.on("data", (bytes) => {
      const { when } = this;
      if (!when || !bytes.includes("COMMIT")) return database.write(bytes);
      this.when = undefined;
      if (when === "before") return cut();
      isDoomed = true;
      return database.write(bytes);
    });
    database.on("data", (bytes) => {
      if (isDoomed) cut();
      else client.write(bytes);
    });
  }
}
