import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readSettings } from "../src/config/read-settings.ts";
import { Messenger } from "../src/server.ts";
import { Tokens } from "../src/services/accounts/tokens.ts";
import { makeDatabase, type TestDatabase } from "./support/databases.ts";
import { Device } from "./support/device.ts";
import { recordedLog } from "./support/leak-scan.ts";
import { password } from "./support/messenger.ts";

/* JWT_SECRET is changed while people are logged in. The server is restarted on the same database for each change. */

const oldSecret = "the secret before the change, 0123456789";
const newSecret = "the secret after the change, 9876543210";

interface TokenPair {
  token: string;
  refreshToken: string;
}

let database: TestDatabase;
let messenger: Messenger | undefined;
let port = 0;
const devices: Device[] = [];

beforeEach(async () => {
  database = await makeDatabase();
});

afterEach(async () => {
  await stop();
  await database.remove();
});

async function stop(): Promise<void> {
  await Promise.all(devices.splice(0).map((device) => device.close()));
  await messenger?.stop();
  messenger = undefined;
}

async function restart(settings: Record<string, string>): Promise<void> {
  await stop();
  const base = { NODE_ENV: "test", PORT: "0", BCRYPT_COST: "4", RATE_LIMITS: "off", ...database.settings };
  messenger = new Messenger(readSettings({ ...base, ...settings }), recordedLog);
  port = await messenger.start();
}

async function post(path: string, body: object): Promise<{ status: number; body: TokenPair }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as TokenPair };
}

async function register(): Promise<TokenPair> {
  const { status, body } = await post("/auth/register", { email: "ann@example.test", password, firstName: "Ann" });
  expect(status).toBe(201);
  return body;
}

async function refresh(refreshToken: string): Promise<TokenPair> {
  const { status, body } = await post("/auth/refresh", { refreshToken });
  expect(status).toBe(200);
  return body;
}

const statusOf = async (token: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}/users/me`, { headers: { authorization: `Bearer ${token}` } })).status;

async function connect(token: string): Promise<Device> {
  const device = await Device.connect(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${token}` } });
  devices.push(device);
  return device;
}

const verifiedBy = (secret: string, token: string) => () => new Tokens({ secret, lifetimeSeconds: 60 }).verify(token);

describe("a changed JWT_SECRET", () => {
  test("logs nobody out while JWT_SECRET_PREVIOUS is the old one, and signs all new tokens", async () => {
    await restart({ JWT_SECRET: oldSecret });
    const before = await register();

    await restart({ JWT_SECRET: newSecret, JWT_SECRET_PREVIOUS: oldSecret });
    expect(await statusOf(before.token)).toBe(200);
    const device = await connect(before.token);
    await device.request("authenticate", { token: before.token });
    const after = await refresh(before.refreshToken);
    expect(verifiedBy(newSecret, after.token)).not.toThrow();
    await device.request("authenticate", { token: after.token });

    await restart({ JWT_SECRET: newSecret });
    expect(await statusOf(after.token)).toBe(200);
    const renewed = await connect(after.token);
    expect(await renewed.requestError("authenticate", { token: before.token })).toMatchObject({ code: "VALIDATION" });
    await refresh(after.refreshToken);
  });

  test("without JWT_SECRET_PREVIOUS logs everybody out", async () => {
    await restart({ JWT_SECRET: oldSecret });
    const before = await register();
    await restart({ JWT_SECRET: newSecret });
    expect(await statusOf(before.token)).toBe(401);
    await expect(connect(before.token)).rejects.toThrow("401");
    expect((await post("/auth/refresh", { refreshToken: before.refreshToken })).status).toBe(401);
  });

  test("accepts tokens of the generated secret, whose file JWT_SECRET_PREVIOUS_FILE names", async () => {
    await restart({});
    const before = await register();
    const file = join(database.settings.DATA_DIR, "jwt-secret");
    await restart({ JWT_SECRET: newSecret, JWT_SECRET_PREVIOUS_FILE: file });
    expect(await statusOf(before.token)).toBe(200);
    await connect(before.token);
    await refresh(before.refreshToken);
  });

  test("accepts no token of a third secret, nor one whose session has ended", async () => {
    await restart({ JWT_SECRET: oldSecret });
    const before = await register();
    await restart({ JWT_SECRET: newSecret, JWT_SECRET_PREVIOUS: "a third secret, which signed nothing at all" });
    expect(await statusOf(before.token)).toBe(401);
    await restart({ JWT_SECRET: newSecret, JWT_SECRET_PREVIOUS: oldSecret });
    await fetch(`http://127.0.0.1:${port}/auth/logout`, {
      method: "POST",
      headers: { authorization: `Bearer ${before.token}` },
    });
    expect(await statusOf(before.token)).toBe(401);
    expect((await post("/auth/refresh", { refreshToken: before.refreshToken })).status).toBe(401);
  });
});

describe("a refresh token that was exchanged by a process before the change", () => {
  test.each([
    ["with the new secret as the previous one", { JWT_SECRET: oldSecret, JWT_SECRET_PREVIOUS: newSecret }],
    ["with the old secret alone", { JWT_SECRET: oldSecret }],
  ])("%s returns the same successor after it, if the response was lost", async (_how, settings) => {
    await restart(settings);
    const first = await register();
    const lost = await refresh(first.refreshToken);
    await restart({ JWT_SECRET: newSecret, JWT_SECRET_PREVIOUS: oldSecret });
    const again = await refresh(first.refreshToken);
    expect(again.refreshToken).toBe(lost.refreshToken);
    const next = await refresh(again.refreshToken);
    expect(verifiedBy(newSecret, next.token)).not.toThrow();
    // Tokens that were replaced earlier end the session, whatever signed them.
    expect((await post("/auth/refresh", { refreshToken: first.refreshToken })).status).toBe(401);
    expect(await statusOf(next.token)).toBe(401);
  });
});
