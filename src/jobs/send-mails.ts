import type { Database } from "../db/connect.ts";
import { purgeMails } from "../db/queries/mail/outbox.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 1000;
const purgeIntervalMs = 60 * 60_000;
/** How long it is kept that a mail was sent, in milliseconds: longer than mails are counted. */
const retentionMs = 7 * 24 * 60 * 60_000;

/**
 * Sends the queued mails, looking for new ones every second.
 * @param options.sendNext sends one mail; resolves to whether to go on with the next one
 * @returns a function that stops it
 */
export function sendMails(options: { database: Database; sendNext: () => Promise<boolean>; log: Logger }): () => void {
  const { database, sendNext, log } = options;
  const stops = [
    poll({
      description: "the query for queued mails",
      intervalMs,
      task: async () => ((await sendNext()) ? 0 : undefined),
      log,
    }),
    poll({
      description: "the purge of sent mails",
      intervalMs: purgeIntervalMs,
      runsAtStart: true,
      task: async () => {
        await purgeMails(database, { retentionMs });
        return undefined;
      },
      log,
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
