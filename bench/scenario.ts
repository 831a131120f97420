import type { Arena } from "./database-server.ts";
import type { ContestantName } from "./servers.ts";
import type { Report } from "./table.ts";

/** What the command line says. */
export interface Options {
  /** Rounds before the measured ones. */
  warmUps: number;
  rounds: number;
  /** Length of a round. */
  seconds: number;
  /** Stored messages, in the scenarios that ask what many cost. */
  size: number;
  /** Small numbers: tries the scenario, and finds lost and doubled messages, but the figures mean little. */
  quick: boolean;
  /** Who takes part. */
  only: readonly ContestantName[];
  /** The one way of `private` to measure: one, many or paced. */
  way: string | undefined;
  /** A folder for CPU profiles of our server. */
  profile: string | undefined;
}

export interface Scenario {
  summary: string;
  run(options: Options, arena: Arena): Promise<Report[]>;
}
