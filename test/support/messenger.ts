import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { readSettings } from "../../src/config/read-settings.ts";
import type { Database } from "../../src/db/connect.ts";
import { select } from "../../src/db/select.ts";
import type { Logger } from "../../src/logger.ts";
import { Messenger } from "../../src/server.ts";
import type { Administration } from "../../src/services/administration/compose-administration.ts";
import { makeDatabase, type TestDatabase } from "./databases.ts";
import { Device } from "./device.ts";
import { recordedLog } from "./leak-scan.ts";

/** The password of all test users. */
export const password = "correct horse battery";
const minBcryptCost = "4";

/** A registered user. */
export interface TestUser {
  id: number;
  firstName: string;
  email: string;
  token: string;
  /** Opens a socket of this user. It is closed after the test. */
  connect(): Promise<Device>;
}

// biome-ignore lint/suspicious/noExplicitAny: a response body, of which tests check any field
type AnyBody = any;

/** A running messenger with its own database. */
export class TestMessenger {
  private readonly devices: Device[] = [];
  private userCount = 0;

  private constructor(
    private readonly messenger: Messenger,
    private readonly database: TestDatabase,
    readonly port: number,
  ) {}

  /** Starts a messenger. Rate limits are off unless the settings enable them. */
  static async start(settings: Record<string, string> = {}, log: Logger = recordedLog): Promise<TestMessenger> {
    const database = await makeDatabase();
    const config = readSettings({
      NODE_ENV: "test",
      PORT: "0",
      BCRYPT_COST: minBcryptCost,
      RATE_LIMITS: "off",
      ...database.settings,
      ...settings,
    });
    const messenger = new Messenger(config, log);
    return new TestMessenger(messenger, database, await messenger.start());
  }

  async stop(): Promise<void> {
    await this.messenger.stop();
    await this.database.remove();
  }

  /**
   * The messenger's own database connection, read from a private field. The embedded database has only one session, so
   * the tests cannot open a connection of their own.
   */
  get db(): Database {
    // biome-ignore lint/complexity/useLiteralKeys: TypeScript allows access to private fields with brackets only
    const opened = this.messenger["opened"];
    if (!opened) throw new Error("the messenger has not opened its database yet");
    return opened.database;
  }

  /** The folder DATA_DIR. */
  get dataDir(): string {
    return this.database.settings.DATA_DIR;
  }

  /** The services of administrators, read from a private field: links are made on the command line only. */
  get administration(): Administration {
    // biome-ignore lint/complexity/useLiteralKeys: TypeScript allows access to private fields with brackets only
    const runtime = this.messenger["runtime"];
    if (!runtime) throw new Error("the messenger has not started yet");
    return runtime.administration;
  }

  /** Runs one statement with values bound as `$name` and returns its rows. */
  sql<Row extends object>(text: string, values: Record<string, unknown> = {}): Promise<Row[]> {
    return select<Row>(this.db, text, values);
  }

  /** Makes an HTTP request. A body is sent as JSON. */
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
        body:
          typeof options.body === "string" || options.body instanceof Buffer
            ? options.body
            : JSON.stringify(options.body),
      }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Registers a user, with a unique name unless one is given. */
  async person(firstName = `Person${++this.userCount}`): Promise<TestUser> {
    const email = `${firstName.toLowerCase().replace(/\W/g, "")}.${++this.userCount}@example.test`;
    const { status, body } = await this.http("POST", "/auth/register", { body: { email, password, firstName } });
    if (status !== 201) throw new Error(`registration failed: ${JSON.stringify(body)}`);
    return { id: body.user.id, firstName, email, token: body.token, connect: () => this.connect(body.token) };
  }

  /** Opens a socket with this token. It is closed after the test. */
  async connect(token: string): Promise<Device> {
    const device = await Device.connect(`ws://127.0.0.1:${this.port}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    this.devices.push(device);
    return device;
  }

  async closeDevices(): Promise<void> {
    await Promise.all(this.devices.splice(0).map((device) => device.close()));
  }
}

/** Starts one messenger for all tests of a file. Sockets are closed after each test. */
export function useMessenger(...parameters: Parameters<typeof TestMessenger.start>): () => TestMessenger {
  let messenger: TestMessenger | undefined;
  beforeAll(async () => {
    messenger = await TestMessenger.start(...parameters);
  });
  afterEach(() => messenger?.closeDevices());
  afterAll(() => messenger?.stop());
  return () => {
    if (!messenger) throw new Error("the messenger is not running yet");
    return messenger;
  };
}
