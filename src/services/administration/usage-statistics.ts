import type { Database } from "../../db/connect.ts";
import { storedStatistics } from "../../db/queries/administration/statistics.ts";
import type { Statistics } from "../../domain/administration.ts";

/** How much the server is used. */
export class UsageStatistics {
  constructor(
    private readonly options: {
      database: Database;
      /** The open sockets of all processes. */
      countSockets: () => number;
    },
  ) {}

  async read(): Promise<Statistics> {
    const { database, countSockets } = this.options;
    return { ...(await storedStatistics(database)), sockets: countSockets() };
  }
}
