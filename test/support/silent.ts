import { createLogger } from "../../src/logger.ts";

/** A log that nobody reads. */
export const silent = createLogger({ level: "silent", readable: false });
