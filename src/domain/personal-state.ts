/** A JSON value; null where the key was removed. */
export type StateValue = unknown;

/** One key of a user's personal state, as it was last changed. */
export interface StateEntry {
  /** Number of the change among all changes of this user's state; 0 if the key was never set, or that is forgotten. */
  stateVersion: number;
  key: string;
  value: StateValue;
}
