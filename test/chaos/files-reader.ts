import type { ChaosClient } from "./client.ts";
import type { Log } from "./log.ts";

/** Of each file, so many users beside its owner try to read it. */
const readers = 2;

/** Tries to read each uploaded file: as its owner, and as some other users. Nothing changes any more. */
export async function readFiles(
  clients: readonly ChaosClient[],
  { ports, log }: { ports: readonly number[]; log: Log },
): Promise<void> {
  for (const { id: fileId, ownerId } of log.uploads.values()) {
    const owner = clients.filter(({ userId }) => userId === ownerId);
    const others = Array.from({ length: readers }, () => clients[0]?.random.pick(clients) ?? []).flat();
    const reads = [...new Set([...owner, ...others])].map(async (client) => {
      const digest = await client.http.readFile(client.random.pick(ports) ?? 0, fileId);
      if (digest === undefined) log.reportViolation("unanswered", `${client.name}: file ${fileId} was not answered`);
      else log.filesRead.push({ userId: client.userId, fileId, sha256: digest ?? undefined });
    });
    await Promise.all(reads);
  }
}
