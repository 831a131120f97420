import { expect, test } from "@jest/globals";
import { useMessenger } from "../../../test/support/messenger.ts";
import type { WebSocketLike } from "../src/index.ts";
import { client, until } from "./support/client.ts";

const server = useMessenger();

/** A socket that cannot be opened. */
class RefusedSocket implements WebSocketLike {
  readonly readyState = 3;
  send(): void {}
  close(): void {}
  addEventListener(type: string, listener: (event: { code?: number }) => void): void {
    if (type === "close") setTimeout(() => listener({ code: 1006 }));
  }
}

test("the state of the connection is reported once for each change", async () => {
  const messenger = client(server(), { WebSocket: RefusedSocket });
  const states: string[] = [];
  messenger.connection.subscribe(({ state }) => states.push(state));
  await messenger.register({ email: "ann@example.test", password: "correct horse battery", firstName: "Ann" });
  await until(messenger.connection, ({ retryAt }) => retryAt !== undefined);
  expect(states).toEqual(["loggedOut", "connecting", "offline"]);
});
