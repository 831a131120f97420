import type { StateChange, StateDifference } from "./protocol.ts";
import type { Json } from "./store.ts";

/** Fields of a key's value to change; null removes one. A value without fields is removed. */
export type StatePatch = { readonly [field: string]: Json };

type Fields = { readonly [field: string]: Json | undefined };

/** This user's personal state, as the server has it. It does no input or output. */
export class PersonalState {
  version = 0;
  readonly keys = new Map<string, Json>();

  constructor(
    private readonly events: {
      /** Changes are missing before one that was received. */
      onGap(): void;
      onChange(): void;
    },
  ) {}

  /** Applies the next change and ignores an earlier one. */
  apply({ stateVersion, key, value }: StateChange): void {
    if (stateVersion > this.version + 1) this.events.onGap();
    else if (stateVersion > this.version) this.set(stateVersion, [[key, value]]);
  }

  applySync({ version, entries, reset }: StateDifference): void {
    if (reset) this.keys.clear();
    if (reset || version > this.version) this.set(version, entries);
  }

  set(version: number, entries: StateDifference["entries"]): void {
    this.version = version;
    for (const [key, value] of entries) {
      if (value === null) this.keys.delete(String(key));
      else this.keys.set(String(key), value as Json);
    }
    this.events.onChange();
  }

  clear(): void {
    this.keys.clear();
    this.set(0, []);
  }
}

/** The value of a key after a patch; null if it has no fields. A draft that was written later on another device stays. */
export function patched(value: Json | undefined, patch: StatePatch): Json {
  const fields: Fields = isObject(value) ? value : {};
  const { updatedAt } = patch;
  if (typeof updatedAt === "string" && String(fields.updatedAt ?? "") > updatedAt) return fields;
  const merged = Object.entries({ ...fields, ...patch }).filter(([, field]) => field !== null);
  return merged.length > 0 ? Object.fromEntries(merged) : null;
}

const isObject = (value: Json | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
