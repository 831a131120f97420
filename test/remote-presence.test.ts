import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { InProcessBus, type Members } from "../src/bus/in-process-bus.ts";
import { RemotePresence } from "../src/services/presence/remote-presence.ts";
import { silentLog } from "./support/silent.ts";

/* Presence across processes, with fake timers: the real timeouts are too long for a test. */

const [ann, bob] = [1, 2];

describe("users of other processes", () => {
  let members: Members;
  beforeEach(() => {
    members = new Set();
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A process with these connected users, and the changes it notices. */
  function process(connected: number[]) {
    const bus = new InProcessBus(silentLog, members);
    const noticed: string[] = [];
    const remote = new RemotePresence({
      bus,
      connectedUserIds: () => connected,
      onOnline: (userId) => noticed.push(`${userId} online`),
      onOffline: (userId) => noticed.push(`${userId} offline`),
    });
    /** Ends without a message. */
    const kill = () => bus.close();
    return { remote, bus, noticed, connected, kill };
  }

  test("a process that starts and the running ones learn of each other's users at once", () => {
    const old = process([ann]);
    const fresh = process([bob]);
    expect([old.remote.has(bob), fresh.remote.has(ann)]).toEqual([true, true]);
    expect([old.noticed, fresh.noticed]).toEqual([["2 online"], ["1 online"]]);
  });

  test("a user of two other processes goes offline when both report the disconnect", () => {
    const here = process([]);
    const [one, two] = [process([ann]), process([ann])];
    one.remote.publishChange(ann, false);
    expect(here.remote.has(ann)).toBe(true);
    two.remote.publishChange(ann, false);
    expect(here.noticed).toEqual(["1 online", "1 offline"]);
  });

  test("the users of a killed process go offline after 15 seconds", async () => {
    const here = process([]);
    await process([ann]).kill();
    jest.advanceTimersByTime(10_000);
    expect(here.remote.has(ann)).toBe(true);
    jest.advanceTimersByTime(5000);
    expect(here.noticed).toEqual(["1 online", "1 offline"]);
  });

  test("the users of a process that stops go offline at once", () => {
    const here = process([]);
    process([ann]).remote.stop();
    expect(here.noticed).toEqual(["1 online", "1 offline"]);
  });

  test("a lost connect and a lost disconnect are corrected within five seconds", () => {
    const here = process([]);
    const there = process([ann]);
    there.connected.splice(0, 1, bob);
    jest.advanceTimersByTime(5000);
    expect([here.remote.has(ann), here.remote.has(bob)]).toEqual([false, true]);
  });

  test("an invalid message is ignored", () => {
    const here = process([]);
    const stranger = new InProcessBus(silentLog, members);
    for (const body of [{}, { process: 7 }, { process: "x", whole: true, here: ["1"], gone: [] }, []]) {
      stranger.publish("presence", body);
    }
    expect(here.noticed).toEqual([]);
  });
});
