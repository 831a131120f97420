import { expect, jest, test } from "@jest/globals";
import type { Sessions } from "../src/services/accounts/sessions.ts";
import { Connections } from "../src/ws/connections.ts";

/* Admission of a socket, with a session that ends while it is being looked up. */

const claims = { userId: 1, sessionId: 7, exp: Date.now() / 1000 + 60 };

/** An admission whose session lookup succeeds when the test says so. */
function startAdmission() {
  const connections = new Connections({ maxPerUser: 10 });
  let finishLookup = () => {};
  const sessions = {
    claimsOf: () => claims,
    authenticate: () => new Promise((resolve) => (finishLookup = () => resolve(claims))),
  } as unknown as Sessions;
  const onAdmitted = jest.fn();
  const admission = connections.admit("token", sessions, onAdmitted);
  return { connections, admission, onAdmitted, finishLookup: () => finishLookup() };
}

test("a session that ends after its lookup has read the database is not admitted", async () => {
  const { connections, admission, onAdmitted, finishLookup } = startAdmission();
  connections.endSessions({ sessionIds: [claims.sessionId], reason: "ended" });
  finishLookup();
  await expect(admission).rejects.toMatchObject({ kind: "unauthenticated" });
  expect(onAdmitted).not.toHaveBeenCalled();
});

test("the end of another session does not prevent the admission", async () => {
  const { connections, admission, onAdmitted, finishLookup } = startAdmission();
  connections.endSessions({ sessionIds: [claims.sessionId + 1], reason: "ended" });
  finishLookup();
  await admission;
  expect(onAdmitted).toHaveBeenCalledWith(claims);
});
