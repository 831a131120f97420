import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { CircuitBreaker } from "../src/concurrency/circuit-breaker.ts";

const timeoutMs = 250;
const probeIntervalMs = 1000;
const hanging = () => new Promise<never>(() => {});

describe("a circuit breaker", () => {
  const opened: string[] = [];
  const closed: number[] = [];
  let probe: () => Promise<unknown>;
  let breaker: CircuitBreaker;

  function makeBreaker(options: { probesWhileClosed?: boolean; isFailure?: (error: unknown) => boolean } = {}) {
    return new CircuitBreaker({
      timeoutMs,
      probeIntervalMs,
      probe: () => probe(),
      onOpen: ({ message }) => opened.push(message),
      onClose: (openMs) => closed.push(openMs),
      ...options,
    });
  }

  beforeEach(() => {
    jest.useFakeTimers();
    probe = hanging;
    breaker = makeBreaker();
  });

  afterEach(() => {
    breaker.stop();
    jest.useRealTimers();
    opened.length = 0;
    closed.length = 0;
  });

  const run = (operation: () => Promise<string>) => breaker.run(operation, () => "fallback");
  const advance = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  test("runs operations while it is closed", async () => {
    expect(await run(async () => "result")).toBe("result");
    expect(breaker.state).toBe("closed");
    expect(jest.getTimerCount()).toBe(0);
  });

  test("opens after the first operation that takes too long; from then on nobody waits", async () => {
    const late = run(hanging);
    await advance(timeoutMs + 1);
    expect(await late).toBe("fallback");
    const operation = jest.fn(hanging);
    expect(await run(operation)).toBe("fallback");
    expect(operation).not.toHaveBeenCalled();
    expect(opened).toEqual(["no reply within 250 ms"]);
  });

  test("ends the waits of all operations in progress when it opens", async () => {
    const first = run(hanging);
    await advance(timeoutMs - 10);
    const second = run(hanging);
    await advance(11);
    expect(await Promise.all([first, second])).toEqual(["fallback", "fallback"]);
  });

  test("opens at once when an operation fails, and says so once", async () => {
    const fail = () => Promise.reject(new Error("refused"));
    expect(await Promise.all([run(fail), run(fail), run(fail)])).toEqual(["fallback", "fallback", "fallback"]);
    expect(opened).toEqual(["refused"]);
    expect(breaker.reason?.message).toBe("refused");
  });

  test("passes on errors that are no failure of the dependency", async () => {
    breaker = makeBreaker({ isFailure: () => false });
    await expect(run(() => Promise.reject(new Error("an answer")))).rejects.toThrow("an answer");
    expect(breaker.state).toBe("closed");
  });

  test("closes when a probe succeeds in time, and reports how long it was open", async () => {
    breaker.open(new Error("refused"));
    probe = async () => "pong";
    await advance(probeIntervalMs);
    expect(breaker.state).toBe("closed");
    expect(closed).toEqual([probeIntervalMs]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("is half-open during a probe, and open again after one that failed", async () => {
    breaker.open(new Error("refused"));
    await advance(probeIntervalMs);
    expect(breaker.state).toBe("half-open");
    expect(await run(async () => "result")).toBe("fallback");
    await advance(timeoutMs + 1);
    expect(breaker.state).toBe("open");
  });

  test("sends a hanging dependency one probe only, and ignores its late success", async () => {
    let answer = (_: unknown) => {};
    const late = jest.fn(() => new Promise((resolve) => (answer = resolve)));
    probe = late;
    breaker.open(new Error("refused"));
    await advance(10 * probeIntervalMs);
    expect(late).toHaveBeenCalledTimes(1);
    answer("pong");
    await advance(1);
    expect(breaker.isClosed).toBe(false);
    probe = async () => "pong";
    await advance(probeIntervalMs);
    expect(breaker.isClosed).toBe(true);
  });

  test("needs twice as many successful probes, up to 16, if it opens again soon after it closed", async () => {
    probe = async () => "pong";
    for (const probes of [1, 2, 4, 8, 16, 16]) {
      breaker.open(new Error("refused"));
      await advance(probes * probeIntervalMs - 1);
      expect(breaker.isClosed).toBe(false);
      await advance(1);
      expect(breaker.isClosed).toBe(true);
    }
    await advance(60_000);
    breaker.open(new Error("refused"));
    await advance(probeIntervalMs);
    expect(breaker.isClosed).toBe(true);
  });

  test("finds a hanging dependency without any operation if it probes while closed", async () => {
    breaker = makeBreaker({ probesWhileClosed: true });
    await advance(probeIntervalMs + timeoutMs + 1);
    expect(opened).toEqual(["no reply within 250 ms"]);
  });

  test("closes a moment after a probe that it is asked for", async () => {
    breaker.open(new Error("refused"));
    probe = async () => "pong";
    breaker.probeNow();
    await advance(0);
    expect(breaker.isClosed).toBe(true);
  });
});
