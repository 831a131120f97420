import { connect, createServer, type Server, type Socket } from "node:net";

/** How PostgreSQL says that a statement is over, and no transaction is open. */
const readyForQuery = Buffer.from("Z\0\0\0\u0005I", "latin1");

/**
 * Stands between a messenger and its PostgreSQL and, when told to, cuts the connection of a certain statement: before the
 * server has heard of it, or when it is committed and before the answer is back. Whoever asked knows in neither case what has become of it.
 */
export class ConnectionCutter {
  private wanted: { statement: string; when: "before" | "after" } | undefined;
  private onCut: () => void = () => {};

  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  /** Stands before the PostgreSQL at this port of this machine. */
  static async before(databasePort: number): Promise<ConnectionCutter> {
    const server = createServer();
    const cutter = new ConnectionCutter(server, new Set());
    server.on("connection", (client) => cutter.pass(client, databasePort));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cutter;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  /** Cuts at the next statement with this in it; settles when that has happened. */
  cutAt(statement: string, when: "before" | "after"): Promise<void> {
    this.wanted = { statement, when };
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
      const { wanted } = this;
      if (!wanted || !bytes.includes(wanted.statement)) return database.write(bytes);
      this.wanted = undefined;
      if (wanted.when === "before") return cut();
      isDoomed = true;
      return database.write(bytes);
    });
    database.on("data", (bytes) => {
      if (!isDoomed) client.write(bytes);
      else if (bytes.subarray(-6).equals(readyForQuery)) cut();
    });
  }
}
