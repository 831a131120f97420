import type { Bus } from "../../bus/bus.ts";
import { publish, subscribe, topic } from "../../bus/topic.ts";
import { id } from "../../contract/fields.ts";
import { list, object, oneOf } from "../../contract/schema.ts";
import { type SessionsEnded, sessionEndReasons } from "../../domain/session.ts";

const sessionsEnded = topic<SessionsEnded>(
  "sessionsEnded",
  object({ sessionIds: list(id()), reason: oneOf(...sessionEndReasons) }),
);

/**
 * Ends sessions on all processes: returns a function that calls `endHere` and publishes to the others, and calls
 * `endHere` for what the others publish.
 */
export function endSessionsEverywhere(
  bus: Bus,
  endHere: (ended: SessionsEnded) => void,
): (ended: SessionsEnded) => void {
  subscribe(bus, sessionsEnded, endHere);
  return (ended) => {
    publish(bus, sessionsEnded, ended);
    endHere(ended);
  };
}
