import { createLogger } from "../../src/logger.ts";

/** A logger without output. */
export const silentLog = createLogger({ level: "silent", readable: false });
