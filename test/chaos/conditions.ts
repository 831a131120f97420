import type { ChaosOptions } from "./run.ts";

/** The conditions of a run in which a fault of the server or of the client shows. */
export type Conditions = { name: string } & Pick<
  ChaosOptions,
  "processes" | "hasRedis" | "faults" | "hasBackups" | "hasFailovers" | "idles"
>;

export const conditions = {
  usual: { name: "usual" },
  restores: { name: "restored backups", hasBackups: true, faults: ["backup", "restore", "disconnect"] },
  failovers: { name: "failovers", hasFailovers: true, faults: ["startStandby", "failOver", "disconnect"] },
  redisPauses: { name: "Redis pauses", processes: 2, faults: ["redisPause"] },
  lockedGroups: { name: "locked groups", faults: ["lockedGroup"] },
  /** Without a bus, a process finds the changes of others only by looking for them. */
  clockSteps: { name: "clock steps", processes: 2, hasRedis: false, faults: ["clockStep"], idles: true },
} satisfies Record<string, Conditions>;
