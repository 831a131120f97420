import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Delivery } from "../src/delivery/delivery.ts";
import type { Signal } from "../src/domain/change.ts";
import { NameAnnouncements } from "../src/services/people/name-announcements.ts";
import { silentLog } from "./support/silent.ts";

/* Changed names are announced rarely, whatever their users do. */

describe("announcements of changed names", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function announcementsOf(names: Map<number, string>) {
    const published: string[] = [];
    const searches = { now: 0, max: 0, all: 0 };
    const announcements = new NameAnnouncements({
      findPerson: async (id) => ({ id, firstName: names.get(id) ?? "", lastName: null }),
      findContacts: async () => {
        searches.all++;
        searches.max = Math.max(searches.max, ++searches.now);
        await new Promise((resolve) => setTimeout(resolve, 100));
        searches.now--;
        return [9];
      },
      delivery: {
        publishSignal: (signal: Signal) => published.push("firstName" in signal.item ? signal.item.firstName : ""),
      } as unknown as Delivery,
      log: silentLog,
    });
    return { announcements, published, searches };
  }

  test("of one user who renames in a loop are few, and the last name wins", async () => {
    const names = new Map([[1, ""]]);
    const { announcements, published, searches } = announcementsOf(names);
    for (let number = 1; number <= 100; number++) {
      names.set(1, `name ${number}`);
      announcements.announce(1);
      await jest.advanceTimersByTimeAsync(50);
    }
    await jest.advanceTimersByTimeAsync(60_000);
    expect(published.length).toBeLessThanOrEqual(3);
    expect(published.at(-1)).toBe("name 100");
    expect(searches.all).toBe(published.length);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("of many users are searched for one at a time", async () => {
    const { announcements, published, searches } = announcementsOf(new Map());
    for (let userId = 1; userId <= 20; userId++) announcements.announce(userId);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(published).toHaveLength(20);
    expect(searches.max).toBe(1);
  });

  test("that are due after a stop are dropped", async () => {
    const { announcements, published } = announcementsOf(new Map());
    announcements.announce(1);
    await jest.advanceTimersByTimeAsync(1000);
    announcements.announce(1);
    announcements.stop();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(published).toHaveLength(1);
  });
});
