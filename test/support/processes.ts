import { afterEach, beforeEach } from "@jest/globals";
import { makeDatabase, type TestDatabase } from "./databases.ts";
import { Device } from "./device.ts";
import { ServerProcess } from "./process.ts";

/** Server processes of one test on its own database. Those still running after the test are killed. */
export class TestProcesses {
  private database: TestDatabase | undefined;
  private running: ServerProcess[] = [];

  async setUp(): Promise<void> {
    this.database = await makeDatabase();
  }

  async tearDown(): Promise<void> {
    await Promise.all(this.running.splice(0).map((server) => server.stop("SIGKILL")));
    await this.database?.remove();
  }

  get dataDir(): string {
    return this.settings.DATA_DIR ?? "";
  }

  /** Starts a server and waits until it is ready. */
  async start(settings: Record<string, string> = {}, nodeArguments?: readonly string[]): Promise<ServerProcess> {
    const server = await ServerProcess.start({ ...this.settings, ...settings }, nodeArguments);
    this.running.push(server);
    return server;
  }

  /** Starts a server without waiting until it is ready. */
  spawn(settings: Record<string, string> = {}): ServerProcess {
    const server = ServerProcess.spawn({ ...this.settings, ...settings });
    this.running.push(server);
    return server;
  }

  get settings(): TestDatabase["settings"] {
    if (!this.database) throw new Error("the test's database is not there yet");
    return this.database.settings;
  }
}

/** Gives each test of a file its own server processes. */
export function useProcesses(): TestProcesses {
  const processes = new TestProcesses();
  beforeEach(() => processes.setUp());
  afterEach(() => processes.tearDown());
  return processes;
}

export const account = { email: "ann@example.test", password: "correct horse battery", firstName: "Ann" };

/** Calls a route that creates a session. */
export async function post(
  server: ServerProcess,
  path: string,
  body: object,
): Promise<{ user: { id: number }; token: string }> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return (await response.json()) as { user: { id: number }; token: string };
}

export const register = (server: ServerProcess) => post(server, "/auth/register", account);

export const connect = (server: ServerProcess, token: string) =>
  Device.connect(`ws://127.0.0.1:${server.port}`, { headers: { authorization: `Bearer ${token}` } });
