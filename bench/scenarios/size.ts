import { brotliCompressSync, gzipSync } from "node:zlib";
import { bundleClient } from "../../scripts/bundle-client.mjs";
import type { Scenario } from "../scenario.ts";

/** The target for the main entry, as browsers download it. */
const maxGzipKib = 15;

const kib = (bytes: number): number => bytes / 1024;

/** The size of the client SDK, and of each file in it. */
export const size: Scenario = {
  summary: "size of the client SDK, by file",
  async runAlone() {
    const { code, metafile } = await bundleClient();
    const [output] = Object.values(metafile.outputs);
    const parts = Object.entries(output?.inputs ?? {})
      .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }))
      .sort((a, b) => b.bytes - a.bytes);
    const gzipKib = kib(gzipSync(code, { level: 9 }).length);
    return [
      {
        title: "size: the main entry as one minified module",
        columns: ["file", "minified KiB", "gzip KiB", "brotli KiB"],
        rows: [
          ...parts.map(({ path, bytes }) => [path, kib(bytes), "", ""]),
          ["**all**", kib(code.length), gzipKib, kib(brotliCompressSync(code).length)],
        ],
        targets: [{ name: "gzip KiB", measured: gzipKib, limit: maxGzipKib }],
        faults: [],
      },
    ];
  },
};
