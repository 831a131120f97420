import type { BenchDatabaseServer } from "./database-server.ts";
import type { ServerName } from "./servers.ts";
import type { Report } from "./table.ts";

/** The options of the command line. */
export interface Options {
  /** Rounds before the measured ones. */
  warmUpRounds: number;
  rounds: number;
  /** Duration of a round. */
  seconds: number;
  /** Number of stored messages, for the scenarios that depend on it. */
  size: number;
  /** A short run that detects lost and duplicated messages, but whose figures mean little. */
  quick: boolean;
  /** The servers to compare. */
  only: readonly ServerName[];
  /** The only mode of `private` to measure: one, many or paced. */
  privateMode: string | undefined;
  /** The folder for CPU profiles of the messenger. */
  profile: string | undefined;
}

/** A measurement, of servers with a database or of something that needs neither. */
export type Scenario = { summary: string } & (
  | { run(options: Options, databaseServer: BenchDatabaseServer): Promise<Report[]> }
  | { runAlone(options: Options): Promise<Report[]> }
);
