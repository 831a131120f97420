import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { InProcessBus, type Members } from "../src/bus/in-process-bus.ts";
import { RemotePresence } from "../src/ws/remote-presence.ts";
import { silentLog } from "./support/silent.ts";

/* Who is online where, with the time chosen by the test: half a minute is too long to wait for. */

const [ann, bob] = [1, 2];

describe("who is connected to other processes", () => {
  let members: Members;
  beforeEach(() => {
    members = new Set();
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A process with these people, and what it notices. */
  function process(connected: number[]) {
    const bus = new InProcessBus(silentLog, members);
    const noticed: string[] = [];
    const peers = new RemotePresence({
      bus,
      connected: () => connected,
      onCame: (userId) => noticed.push(`${userId} came`),
      onWent: (userId) => noticed.push(`${userId} went`),
    });
    /** Ends without a word. */
    const kill = () => bus.close();
    return { peers, bus, noticed, connected, kill };
  }

  test("a process that has just started and those that were there know of each other at once", () => {
    const old = process([ann]);
    const fresh = process([bob]);
    expect([old.peers.has(bob), fresh.peers.has(ann)]).toEqual([true, true]);
    expect([old.noticed, fresh.noticed]).toEqual([["2 came"], ["1 came"]]);
  });

  test("somebody at two other processes has gone when both have said so", () => {
    const here = process([]);
    const [one, two] = [process([ann]), process([ann])];
    one.peers.tell(ann, false);
    expect(here.peers.has(ann)).toBe(true);
    two.peers.tell(ann, false);
    expect(here.noticed).toEqual(["1 came", "1 went"]);
  });

  test("a process that is killed leaves nobody online: after 15 seconds its people have gone", async () => {
    const here = process([]);
    await process([ann]).kill();
    jest.advanceTimersByTime(10_000);
    expect(here.peers.has(ann)).toBe(true);
    jest.advanceTimersByTime(5000);
    expect(here.noticed).toEqual(["1 came", "1 went"]);
  });

  test("a process that stops takes its people off at once", () => {
    const here = process([]);
    process([ann]).peers.stop();
    expect(here.noticed).toEqual(["1 came", "1 went"]);
  });

  test("a coming and a going that were lost are mended within five seconds", () => {
    const here = process([]);
    const there = process([ann]);
    there.connected.splice(0, 1, bob);
    jest.advanceTimersByTime(5000);
    expect([here.peers.has(ann), here.peers.has(bob)]).toEqual([false, true]);
  });

  test("what is no roster changes nothing", () => {
    const here = process([]);
    const stranger = new InProcessBus(silentLog, members);
    for (const body of [{}, { process: 7 }, { process: "x", whole: true, here: ["1"], gone: [] }, []]) {
      stranger.publish("presence", body);
    }
    expect(here.noticed).toEqual([]);
  });
});
