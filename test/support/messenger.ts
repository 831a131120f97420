import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { readSettings } from "../../src/config/read-settings.ts";
import type { Database } from "../../src/db/connect.ts";
import { select } from "../../src/db/select.ts";
import { Messenger } from "../../src/server.ts";
import { makeDatabase, type TestDatabase } from "./databases.ts";
import { Device } from "./device.ts";
import { witnessedLog } from "./leak-scan.ts";

/** A password nobody has to choose, and the cheapest hash of it. */
export const password = "correct horse battery";
const cheapHash = "4";

/** Someone with an account, for a test. */
export interface TestPerson {
  id: number;
  firstName: string;
  email: string;
  token: string;
  /** Opens a socket of this person; closed after the test. */
  connect(): Promise<Device>;
}

// biome-ignore lint/suspicious/noExplicitAny: a body as it came, for tests that look at anything in it
type AnyBody = any;

/** A running messenger with a database of its own. */
export class TestMessenger {
  private readonly devices: Device[] = [];
  private people = 0;

  private constructor(
    private readonly messenger: Messenger,
    private readonly database: TestDatabase,
    readonly port: number,
  ) {}

  /** Without limits, unless the settings ask for them: tests send faster than people. */
  static async start(settings: Record<string, string> = {}): Promise<TestMessenger> {
    const database = await makeDatabase();
    const config = readSettings({
      NODE_ENV: "test",
      PORT: "0",
      BCRYPT_COST: cheapHash,
      RATE_LIMITS: "off",
      ...database.settings,
      ...settings,
    });
    const messenger = new Messenger(config, witnessedLog);
    return new TestMessenger(messenger, database, await messenger.start());
  }

  async stop(): Promise<void> {
    await this.messenger.stop();
    await this.database.remove();
  }

  /**
   * The messenger's own connection, which it shows to nobody else: this is the one place that looks behind its door. A
   * second connection would meet the first one's session, since the embedded database has only one.
   */
  get db(): Database {
    // biome-ignore lint/complexity/useLiteralKeys: in brackets TypeScript lets one read what is private
    const opened = this.messenger["opened"];
    if (!opened) throw new Error("the messenger has no database yet");
    return opened.database;
  }

  /** The rows of one statement, with values bound as `$name`. */
  sql<Row extends object>(text: string, values: Record<string, unknown> = {}): Promise<Row[]> {
    return select<Row>(this.db, text, values);
  }

  /** Calls the HTTP side. A body is sent as JSON. */
  async http(
    method: string,
    path: string,
    options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; headers: Headers; body: AnyBody }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: {
        ...(options.token && { authorization: `Bearer ${options.token}` }),
        ...(options.body !== undefined && { "content-type": "application/json" }),
        ...options.headers,
      },
      ...(options.body !== undefined && {
        body: typeof options.body === "string" ? options.body : JSON.stringify(options.body),
      }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Registers someone. Without a name, one that no other test has. */
  async person(firstName = `Person${++this.people}`): Promise<TestPerson> {
    const email = `${firstName.toLowerCase().replace(/\W/g, "")}.${++this.people}@example.test`;
    const { status, body } = await this.http("POST", "/auth/register", { body: { email, password, firstName } });
    if (status !== 201) throw new Error(`registration failed: ${JSON.stringify(body)}`);
    return { id: body.user.id, firstName, email, token: body.token, connect: () => this.connect(body.token) };
  }

  /** Opens a socket with this token; closed after the test. */
  async connect(token: string): Promise<Device> {
    const device = await Device.connect(`ws://127.0.0.1:${this.port}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    this.devices.push(device);
    return device;
  }

  async disconnectAll(): Promise<void> {
    await Promise.all(this.devices.splice(0).map((device) => device.close()));
  }
}

/** A messenger for all tests of a file; sockets are closed after each. */
export function useMessenger(...given: Parameters<typeof TestMessenger.start>): () => TestMessenger {
  let messenger: TestMessenger | undefined;
  beforeAll(async () => {
    messenger = await TestMessenger.start(...given);
  });
  afterEach(() => messenger?.disconnectAll());
  afterAll(() => messenger?.stop());
  return () => {
    if (!messenger) throw new Error("the messenger is not running yet");
    return messenger;
  };
}
