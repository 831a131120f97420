import { afterEach } from "@jest/globals";
import WebSocket from "ws";
import { password, type TestMessenger, type TestUser } from "../../../../test/support/messenger.ts";
import { Messenger, type MessengerOptions, type Observable } from "../../src/index.ts";

/** Clients that are closed after the test. */
export const opened: Messenger[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((messenger) => messenger.close()));
});

/** A client of a server under test. It is closed after the test. */
export function client({ port }: TestMessenger, options: Partial<MessengerOptions> = {}): Messenger {
  const messenger = new Messenger({ url: `http://127.0.0.1:${port}`, WebSocket, ...options });
  opened.push(messenger);
  return messenger;
}

/** A client that is logged in and up to date. */
export async function liveClient(
  server: TestMessenger,
  user: TestUser,
  options?: Partial<MessengerOptions>,
): Promise<Messenger> {
  const messenger = client(server, options);
  await messenger.login({ email: user.email, password });
  await live(messenger);
  return messenger;
}

export const live = (messenger: Messenger) => until(messenger.connection, ({ state }) => state === "live");

/** Waits until the value of an observable satisfies a condition. */
export function until<T>(source: Observable<T>, isWanted: (value: T) => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    let unsubscribe = () => {};
    const timer = setTimeout(() => {
      unsubscribe();
      reject(new Error(`still ${JSON.stringify(source.value)}`));
    }, 15_000);
    const listener = (value: T) => {
      if (!isWanted(value)) return;
      clearTimeout(timer);
      // The first call is made before `subscribe` returns.
      queueMicrotask(() => unsubscribe());
      resolve(value);
    };
    unsubscribe = source.subscribe(listener);
  });
}
