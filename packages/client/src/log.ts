/** Receives what happens inside, without texts of messages and without tokens. `console` is one. */
export interface Log {
  debug(message: string): void;
  warn(message: string): void;
}

export const silentLog: Log = { debug() {}, warn() {} };
