import { choice, group, seconds, text } from "../setting.ts";

export const environment = choice(
  "NODE_ENV",
  ["development", "test", "production"],
  "development",
  "Mode of the server. Production requires JWT_SECRET and a BCRYPT_COST of at least 10, logs JSON, and refuses demo data.",
);

export const serverSettings = group(
  { title: "Server" },
  {
    environment,
    logLevel: choice(
      "LOG_LEVEL",
      ["fatal", "error", "warn", "info", "debug", "trace", "silent"],
      "info",
      "The least severe log lines to write.",
    ),
    dataDir: text(
      "DATA_DIR",
      "a folder, created if missing",
      "./data",
      "Folder for the embedded PostgreSQL and the generated JWT_SECRET. Only one process at a time can use it.",
    ),
    shutdownTimeoutMs: seconds(
      "SHUTDOWN_TIMEOUT_SECONDS",
      [1, 300],
      24,
      "Time to finish what is in progress when the server stops; then the process ends.",
    ),
  },
);
