import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pairsJob } from "../load/chat.ts";
import { prepareLoad } from "../load/load.ts";
import { type Uploader, type UploadJob, upload } from "../load/upload.ts";
import { type ChatFigures, type Faults, measureInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { type ComparedServer, startServer, withServers } from "../servers.ts";
import { median } from "../statistics.ts";
import type { Report } from "../table.ts";

const pairs = 25;
const perSecond = 200;
const uploaders = 100;
const fileBytes = 10 * 1024 * 1024;
const sampleMs = 50;
const mebibyte = 1024 * 1024;

const uploaderOf = ({ url, tokenOf }: ComparedServer, userId: number): Uploader => ({
  port: Number(new URL(url).port),
  token: tokenOf(userId),
});

/** Reads a range without keeping it. @returns how long it took, in milliseconds */
async function readRange(server: ComparedServer, path: string, userId: number, [start, end]: [number, number]) {
  const { port, token } = uploaderOf(server, userId);
  const startedAt = performance.now();
  const get = request({
    port,
    path,
    headers: { authorization: `Bearer ${token}`, range: `bytes=${start}-${end}` },
  }).end();
  const [response] = await once(get, "response");
  let received = 0;
  for await (const part of response) received += part.length;
  if (response.statusCode !== 206 || received !== end - start + 1) throw new Error("the range was not answered");
  return performance.now() - startedAt;
}

/** Measures the resident memory during `work`, in bytes. */
async function memoryDuring<T>(server: ComparedServer, work: () => Promise<T>) {
  const before = server.residentBytes();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, server.residentBytes());
  }, sampleMs);
  try {
    const result = await work();
    return { before, most, result };
  } finally {
    clearInterval(timer);
  }
}

/**
 * Lets each of many users upload one file after the other.
 * @returns a function that stops it and returns the bytes per second
 */
async function keepUploading(server: ComparedServer): Promise<() => Promise<number>> {
  const load = await prepareLoad<UploadJob, number>("./upload-process.ts", {
    uploaders: Array.from({ length: uploaders }, (_, index) => uploaderOf(server, 2 * pairs + index + 1)),
    fileBytes,
  });
  const uploaded = load.run();
  return async () => {
    load.stop();
    const bytesPerSecond = await uploaded;
    await load.close();
    return bytesPerSecond;
  };
}

interface Round extends Pick<ChatFigures, "p50" | "p99"> {
  before: number;
  most: number;
  bytesPerSecond: number;
}

const mediansOf = (rounds: readonly Round[]) => {
  const of = (key: keyof Round) => median(rounds.map((round) => round[key]));
  return {
    p50: of("p50"),
    p99: of("p99"),
    before: of("before"),
    most: of("most"),
    bytesPerSecond: of("bytesPerSecond"),
  };
};

export const files: Scenario = {
  summary: "a chat with and without 100 uploads of 10 MiB at once, and ranges of a file of 1 GiB",
  async run({ warmUpRounds, rounds, seconds, quick, profile }, databaseServer) {
    const folder = await mkdtemp(join(tmpdir(), "messenger-bench-"));
    const largeBytes = quick ? 64 * mebibyte : 1024 * mebibyte;
    const settings = {
      DATA_DIR: folder,
      FILE_MAX_BYTES: String(largeBytes),
      FILES_PER_USER_BYTES: String(2 ** 40),
    };
    const dataset = { people: 2 * pairs + uploaders };
    const start = () => startServer("ours", { databaseServer, dataset, profile, settings });
    try {
      return await withServers([start], async ([server]) => {
        if (!server) throw new Error("no server to measure");
        const faults: Faults = new Set();
        const job = pairsJob(pairs, { inFlight: 1, perSecond, seconds });
        const chat = async () => {
          const options = { warmUpRounds: 0, rounds: 1, before: () => databaseServer.checkpoint(), faults };
          return (await measureInRounds([server], job, options)).get(server.name);
        };
        const modes = {
          "no uploads": async () => ({ figures: await chat(), bytesPerSecond: 0 }),
          [`${uploaders} uploads`]: async () => {
            const stop = await keepUploading(server);
            const figures = await chat();
            return { figures, bytesPerSecond: await stop() };
          },
        };
        const measured = new Map<string, Round[]>(Object.keys(modes).map((name) => [name, []]));
        for (let round = 0; round < warmUpRounds + rounds; round++) {
          for (const [name, measure] of Object.entries(modes)) {
            const { before, most, result } = await memoryDuring(server, measure);
            await rm(join(folder, "files/objects"), { recursive: true, force: true });
            const { figures, bytesPerSecond } = result;
            if (figures && round >= warmUpRounds) {
              measured.get(name)?.push({ p50: figures.p50, p99: figures.p99, before, most, bytesPerSecond });
            }
          }
        }
        const [without, during] = [...measured.values()].map(mediansOf);
        const reports: Report[] = [
          {
            title: `files: ${pairs} pairs, ${perSecond} messages/s, and files of 10 MiB`,
            columns: ["", "p50 ms", "p99 ms", "RSS MiB before", "most", "MiB/s uploaded"],
            rows: [...measured].map(([name, figures]) => {
              const { p50, p99, before, most, bytesPerSecond } = mediansOf(figures);
              return [name, p50, p99, before / mebibyte, most / mebibyte, bytesPerSecond / mebibyte];
            }),
            targets: [
              { name: "p99, with uploads to without", measured: (during?.p99 ?? 0) / (without?.p99 ?? 0), limit: 2 },
            ],
            faults: [...faults],
          },
        ];
        const owner = 1;
        const path = await upload(uploaderOf(server, owner), largeBytes);
        const middle = largeBytes / 2;
        const small = await readRange(server, path, owner, [middle, middle + 64 * 1024 - 1]);
        const { before, most, result } = await memoryDuring(server, () =>
          readRange(server, path, owner, [1, largeBytes - 1]),
        );
        reports.push({
          title: `files: ranges of a file of ${largeBytes / mebibyte} MiB`,
          columns: ["range", "ms", "RSS MiB before", "most"],
          rows: [
            ["64 KiB in the middle", small, "", ""],
            ["all but one byte", result, before / mebibyte, most / mebibyte],
          ],
          targets: [
            { name: "memory during the long range, MiB more", measured: (most - before) / mebibyte, limit: 64 },
          ],
          faults: [],
        });
        return reports;
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
