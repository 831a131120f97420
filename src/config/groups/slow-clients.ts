import { bytes, group, seconds } from "../setting.ts";

export const slowClientSettings = group(
  { title: "Slow clients", note: "Sockets that exceed one of these are closed with 4408." },
  {
    maxUnsentBytes: bytes(
      "MAX_UNSENT_BYTES",
      [64 * 1024, 2 ** 30],
      1024 * 1024,
      "Most bytes of pushes buffered for one client. Above a quarter of it typing and presence are dropped; above it the socket is closed.",
    ),
    maxTotalUnsentBytes: bytes(
      "MAX_UNSENT_BYTES_IN_ALL",
      [1024 * 1024, 2 ** 40],
      256 * 1024 * 1024,
      "Most bytes buffered for all clients together. Above it the sockets with the largest buffers are closed first.",
    ),
    stalledMs: seconds(
      "STALLED_AFTER_SECONDS",
      [1, 600],
      10,
      "How long a client may read none of its buffered data before its socket is closed.",
    ),
  },
);
