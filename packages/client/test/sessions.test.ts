import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { useMessenger } from "../../../test/support/messenger.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { keptIn, logIn, password, person } from "./support/scenes.ts";
import { Disk, isLive, Program, until, untilLive } from "./support/simulated-device.ts";

/* How sessions and connections end, and how tokens are renewed. */

const running: Program[] = [];
const track = (program: Program): Program => {
  running.push(program);
  return program;
};
afterEach(() => {
  for (const program of running.splice(0)) program.kill();
});

/** Runs a proxy in front of the server of a `describe`. */
function useProxy(server: ReturnType<typeof useMessenger>): () => FaultProxy {
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await FaultProxy.inFrontOf(server().port);
  });
  afterEach(() => {
    proxy.isRefusing = false;
  });
  afterAll(() => proxy.close());
  return () => proxy;
}

const ended = ({ state }: { state: string }) => state === "ended";

/** Waits until the store has nothing but these parts. */
async function untilKept(disk: Disk, parts: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (String(await keptIn(disk)) === String(parts)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await keptIn(disk)).toEqual(parts);
}

describe("a session", () => {
  const server = useMessenger();
  const proxy = useProxy(server);

  /** A program with a sent message, and one that it could not send. */
  async function programWithUnsent() {
    const [ann, bob] = [await person(server()), await person(server())];
    const disk = new Disk();
    const program = track(await logIn(proxy().url, ann, disk));
    const chat = program.messenger.dialogWith(bob.id);
    await chat.send("sent before").sent;
    // Chats are stored soon after they change.
    await untilKept(disk, ["chats", "epoch", "session"]);
    proxy().isRefusing = true;
    proxy().cutAll();
    await until(program.messenger.connection, (status) => !isLive(status));
    await chat.send("not sent").stored;
    return { ann, bob, disk, program };
  }

  test("that was revoked on another device ends, its chats are removed, and unsent messages are sent after a log-in", async () => {
    const { ann, bob, disk, program } = await programWithUnsent();
    const { body } = await server().http("GET", "/auth/sessions", { token: ann.token });
    const other = body.data.find(({ current }: { current: boolean }) => !current);
    await server().http("DELETE", `/auth/sessions/${other.id}`, { token: ann.token });
    proxy().isRefusing = false;
    expect(await until(program.messenger.connection, ended)).toEqual({ state: "ended", reason: "sessionEnded" });
    expect(program.messenger.chats.value).toEqual([]);
    await untilKept(disk, ["outbox"]);

    const again = track(await logIn(proxy().url, ann, disk));
    const timeline = again.messenger.dialogWith(bob.id).timeline();
    const { messages } = await until(
      timeline,
      ({ messages }) => messages.length === 2 && messages[1]?.state === "sent",
    );
    expect(messages.map(({ text }) => text)).toEqual(["sent before", "not sent"]);
  });

  test("ends when the password is changed on another device, and not on the one that changes it", async () => {
    const ann = await person(server());
    const one = track(await logIn(proxy().url, ann));
    const two = track(await logIn(proxy().url, ann));
    await one.messenger.call("PUT", "/users/me/password", { oldPassword: password, newPassword: `new ${password}` });
    expect(await until(two.messenger.connection, ended)).toEqual({ state: "ended", reason: "sessionEnded" });
    await one.messenger.request("ping", {});
    expect(one.messenger.connection.value.state).toBe("live");
  });

  test("ends with the account, of which nothing is left", async () => {
    const { ann, disk, program } = await programWithUnsent();
    proxy().isRefusing = false;
    await untilLive(program.messenger);
    await server().http("DELETE", "/users/me", { token: ann.token, body: { password } });
    expect(await until(program.messenger.connection, ended)).toEqual({ state: "ended", reason: "accountDeleted" });
    await untilKept(disk, []);
  });

  test("ends in all programs that share a store when one of them logs out", async () => {
    const ann = await person(server());
    const disk = new Disk();
    const one = track(await logIn(proxy().url, ann, disk));
    const two = track(new Program(proxy().url, disk));
    await two.messenger.resume();
    await untilLive(two.messenger);
    await one.messenger.logout();
    await until(two.messenger.connection, ({ state }) => state === "loggedOut");
    expect(two.messenger.user.value).toBeUndefined();
    await untilKept(disk, []);
  });

  test("is not ended by an error of a proxy", async () => {
    const { program, disk } = await programWithUnsent();
    proxy().isRefusing = false;
    proxy().isUnavailable = true;
    await until(program.messenger.connection, ({ state, retryAt }) => state === "offline" && retryAt !== undefined);
    proxy().isUnavailable = false;
    await untilLive(program.messenger);
    await untilKept(disk, ["chats", "epoch", "session"]);
  });
});

describe("a user with too many connections", () => {
  const server = useMessenger({ RATE_LIMITS: "on", MAX_SOCKETS_PER_USER: "2", LIMIT_LOGINS_PER_ACCOUNT: "100+1/s" });

  test("loses the oldest one, which takes over again when asked to", async () => {
    const ann = await person(server());
    const url = `http://127.0.0.1:${server().port}`;
    const one = track(await logIn(url, ann));
    const two = track(await logIn(url, ann));
    track(await logIn(url, ann));
    expect(await until(one.messenger.connection, ended)).toEqual({ state: "ended", reason: "openElsewhere" });
    expect(one.messenger.user.value?.id).toBe(ann.id);
    one.messenger.takeOver();
    await untilLive(one.messenger);
    expect(await until(two.messenger.connection, ended)).toEqual({ state: "ended", reason: "openElsewhere" });
  });
});

describe("a token", () => {
  const lifetimeMs = 6000;
  const server = useMessenger({ TOKEN_LIFETIME_SECONDS: String(lifetimeMs / 1000) });
  const proxy = useProxy(server);

  async function tokenIn({ store }: Disk): Promise<string> {
    const [entry] = (await store.entries()).filter(([key]) => key.endsWith("session"));
    return String((entry?.[1] as { refreshToken?: string } | undefined)?.refreshToken);
  }

  async function untilRenewed(disk: Disk, before: string): Promise<string> {
    for (;;) {
      const token = await tokenIn(disk);
      if (token !== before) return token;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test("is renewed before it expires, on the connection that is open", async () => {
    const disk = new Disk();
    const program = track(await logIn(proxy().url, await person(server()), disk));
    const states: string[] = [];
    program.messenger.connection.subscribe(({ state }) => states.push(state));
    const first = await tokenIn(disk);
    const second = await untilRenewed(disk, first);
    await untilRenewed(disk, second);
    await program.messenger.request("ping", {});
    expect(states).toEqual(["live"]);
  });

  test("that expired while there was no connection is renewed before the next one", async () => {
    const disk = new Disk();
    const program = track(await logIn(proxy().url, await person(server()), disk));
    proxy().isRefusing = true;
    proxy().cutAll();
    const before = await tokenIn(disk);
    await new Promise((resolve) => setTimeout(resolve, lifetimeMs + 500));
    proxy().isRefusing = false;
    await untilLive(program.messenger);
    await program.messenger.request("ping", {});
    expect(await tokenIn(disk)).not.toBe(before);
  });

  test("is renewed even if the answer is lost", async () => {
    const disk = new Disk();
    const program = track(await logIn(proxy().url, await person(server()), disk));
    const before = await tokenIn(disk);
    const lost = proxy().loseAnswerTo("POST /auth/refresh");
    await lost;
    await untilRenewed(disk, before);
    await untilLive(program.messenger);
    await program.messenger.request("ping", {});
    expect(program.messenger.connection.value.state).toBe("live");
  });
});
