import type { TestMessenger } from "../../../../test/support/messenger.ts";
import type { MessengerOptions } from "../../src/index.ts";
import { Disk, Program, untilLive } from "./simulated-device.ts";

export const password = "correct horse battery";

export interface Person {
  id: number;
  email: string;
  token: string;
}

let people = 0;

/** Registers a user with a session of its own. */
export async function person(server: TestMessenger, firstName = "Person"): Promise<Person> {
  const email = `${firstName.toLowerCase()}.${++people}@example.test`;
  const { status, body } = await server.http("POST", "/auth/register", { body: { email, password, firstName } });
  if (status !== 201) throw new Error(`registration failed: ${JSON.stringify(body)}`);
  return { id: body.user.id, email, token: body.token };
}

/** Starts a program of a user and waits until it is up to date. */
export async function logIn(
  url: string,
  { email }: Person,
  disk = new Disk(),
  options: Partial<MessengerOptions> = {},
): Promise<Program> {
  const program = new Program(url, disk, options);
  await program.messenger.login({ email, password });
  await untilLive(program.messenger);
  return program;
}

/** The parts of the keys of a store: `session`, `outbox`, `chats` and so on. */
export async function keptIn({ store }: Disk): Promise<string[]> {
  const parts = (await store.entries()).map(
    ([key]) => /(?:\/|^)([a-z]+)(?:\/[^/]*)?$/.exec(key.split(" ")[1] ?? "")?.[1],
  );
  return [...new Set(parts.map(String))].sort();
}
