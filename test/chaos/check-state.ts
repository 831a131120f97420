import { isDeepStrictEqual } from "node:util";
import type { CheckedDevice } from "./check-devices.ts";
import { type FinalState, stateKeyOf } from "./final-state.ts";
import type { AcknowledgedState, Log } from "./log.ts";

/** Describes how an acknowledged change of the personal state was lost; undefined if it or a later one is stored. */
export function lostState(
  { states }: FinalState,
  { userId, key, version, value }: AcknowledgedState,
): string | undefined {
  // Nothing was stored: the key was never set.
  if (version === 0) return value === null ? undefined : "was acknowledged as never set";
  const stored = states.get(stateKeyOf({ userId, key }));
  if (!stored || stored.version < version) return `was changed as version ${version}, which is not stored`;
  const isOther = stored.version === version && !isDeepStrictEqual(stored.value, value);
  return isOther ? `is stored with another value as version ${version}` : undefined;
}

/** No acknowledged change of the personal state is lost. */
export function checkStates(finalState: FinalState, acknowledged: readonly AcknowledgedState[], log: Log): void {
  for (const one of acknowledged) {
    const lost = lostState(finalState, one);
    if (lost) log.reportViolation("lost", `user ${one.userId}: the key ${one.key} ${lost}`);
  }
}

/** Every change of the personal state that was pushed is stored, or was replaced later. */
export function checkPushedStates(finalState: FinalState, pushed: readonly AcknowledgedState[], log: Log): void {
  for (const one of pushed) {
    const ghost = lostState(finalState, one);
    if (ghost) log.reportViolation("ghost", `user ${one.userId} received the key ${one.key}, which ${ghost}`);
  }
}

/** After a sync, the personal state of a device equals the database. */
export function checkLocalState(
  { states, stateVersions }: FinalState,
  log: Log,
  { name, userId, replica }: CheckedDevice,
): void {
  const report = (details: string) => log.reportViolation("incomplete", `${name}: ${details}`);
  const { version, keys } = replica.state;
  const stored = stateVersions.get(userId) ?? 0;
  if (version !== stored) report(`has version ${version} of its personal state instead of ${stored}`);
  const expected = new Map(
    [...states.values()].filter((one) => one.userId === userId).map((one) => [one.key, one.value]),
  );
  for (const key of new Set([...keys.keys(), ...expected.keys()])) {
    const [found, wanted] = [keys.get(key) ?? null, expected.get(key) ?? null];
    if (!isDeepStrictEqual(found, wanted)) {
      report(`has ${JSON.stringify(found)} under ${key} instead of ${JSON.stringify(wanted)}`);
    }
  }
}
