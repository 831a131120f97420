import { lazy } from "../ui/lazy.tsx";

/** Loaded with the first message that has files. */
export const MessageFiles = lazy(async () => (await import("./message-files.tsx")).MessageFiles);
