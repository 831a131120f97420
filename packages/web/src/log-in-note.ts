import { signal } from "@preact/signals";

/** What the log-in says above its fields, until somebody logs in. */
export const logInNote = signal<string | undefined>(undefined);
