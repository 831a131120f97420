import { describe, expect, test } from "@jest/globals";
import { Sequencer } from "../src/delivery/sequencer.ts";
import type { Requester } from "../src/domain/actor.ts";
import type { Change } from "../src/domain/change.ts";
import { change } from "./support/scripted-changes.ts";

/* The order of the changes of one chat. */

describe("the sequencer", () => {
  function sequencerAt(version: number, { hasPosition = true } = {}) {
    const delivered: Change[] = [];
    const sequencer = new Sequencer({ version, hasPosition }, (one) => delivered.push(one));
    const released: number[] = [];
    return {
      sequencer,
      delivered,
      versions: () => delivered.map((one) => one.message.version),
      /** Accepts a change, or keeps it pending. */
      publish(one: Change) {
        const { version: number } = one.message;
        if (!sequencer.accept(one)) sequencer.keepPending(one, () => released.push(number));
      },
      /** The versions whose publisher was called back. */
      released,
    };
  }

  test("the next change is delivered at once, and needs no read", () => {
    const { sequencer, versions } = sequencerAt(4);
    expect(sequencer.accept(change(5))).toBe(true);
    expect(versions()).toEqual([5]);
    expect(sequencer.needsRead).toBe(false);
  });

  test("a change that was delivered before is dropped", () => {
    const { sequencer, versions } = sequencerAt(4);
    expect(sequencer.accept(change(4))).toBe(true);
    expect(versions()).toEqual([]);
  });

  test("a change with a gap before it waits until the gap is closed", () => {
    const { sequencer, publish, versions, released } = sequencerAt(0);
    publish(change(3));
    publish(change(2));
    expect(versions()).toEqual([]);
    expect(sequencer.needsRead).toBe(true);
    publish(change(1));
    expect(versions()).toEqual([1, 2, 3]);
    expect(released).toEqual([2, 3]);
    expect(sequencer.needsRead).toBe(false);
  });

  test("a version seen in the store needs a read until it is delivered", () => {
    const { sequencer, publish } = sequencerAt(4);
    expect(sequencer.noteStoredVersion(4)).toBe(false);
    expect(sequencer.noteStoredVersion(5)).toBe(true);
    expect(sequencer.needsRead).toBe(true);
    publish(change(5));
    expect(sequencer.needsRead).toBe(false);
  });

  test("rows that were read are delivered once, with the pending changes among them in their place", () => {
    const { sequencer, publish, delivered, versions } = sequencerAt(0);
    const requester: Requester = {};
    publish({ ...change(2), requester });
    publish(change(4));
    sequencer.applyRead([change(1), change(2), change(3)], 0);
    sequencer.applyRead([change(3), change(4)], 4);
    expect(versions()).toEqual([1, 2, 3, 4]);
    expect(delivered[1]?.requester).toBe(requester);
    expect(sequencer.needsRead).toBe(false);
  });

  test("versions without a row are skipped only if everything up to them was read", () => {
    const { sequencer, publish, versions } = sequencerAt(0);
    publish(change(5));
    sequencer.applyRead([change(2)], 0);
    expect(versions()).toEqual([2]);
    expect(sequencer.needsRead).toBe(true);
    sequencer.applyRead([], 5);
    expect(versions()).toEqual([2, 5]);
    expect(sequencer.needsRead).toBe(false);
  });

  test("a version seen in the store that a complete read did not find is not looked for again", () => {
    const { sequencer } = sequencerAt(0);
    sequencer.noteStoredVersion(3);
    sequencer.applyRead([change(1)], 2);
    expect(sequencer.needsRead).toBe(true);
    sequencer.applyRead([], 3);
    expect(sequencer.needsRead).toBe(false);
  });

  test("a commit in doubt needs one read", () => {
    const { sequencer } = sequencerAt(0);
    sequencer.noteDoubt();
    expect(sequencer.needsRead).toBe(true);
    expect(sequencer.takeDoubt()).toBe(true);
    expect(sequencer.needsRead).toBe(false);
    expect(sequencer.takeDoubt()).toBe(false);
  });

  test("nothing is delivered before the start version is set", () => {
    const { sequencer, publish, versions } = sequencerAt(8, { hasPosition: false });
    publish(change(9));
    expect(versions()).toEqual([]);
    sequencer.startAt(6);
    sequencer.applyRead([change(7), change(8), change(9)], 9);
    expect(versions()).toEqual([7, 8, 9]);
  });

  test("a pending change before the position moves the position back", () => {
    const { sequencer, publish, versions } = sequencerAt(8, { hasPosition: false });
    publish(change(5));
    sequencer.startAt(6);
    expect(versions()).toEqual([5]);
    expect(sequencer.needsRead).toBe(false);
    publish(change(7));
    sequencer.applyRead([change(6), change(7)], 7);
    expect(versions()).toEqual([5, 6, 7]);
  });

  test("changes that are still pending when reading stops are released undelivered", () => {
    const { sequencer, publish, versions, released } = sequencerAt(0);
    publish(change(3));
    sequencer.releasePending();
    expect(released).toEqual([3]);
    expect(versions()).toEqual([]);
  });
});
