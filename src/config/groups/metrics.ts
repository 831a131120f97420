import { group, headerSecret, optionalInteger, text, Unset } from "../setting.ts";

export const metricsSettings = group(
  {
    title: "Metrics",
    note: "GET /metrics for Prometheus: on METRICS_PORT if it is set, else on PORT if METRICS_TOKEN is set, else nowhere.",
  },
  {
    port: optionalInteger(
      "METRICS_PORT",
      [0, 65_535],
      new Unset("no port of its own"),
      "Port that serves the metrics and nothing else; 0 picks a free one.",
    ),
    host: text(
      "METRICS_HOST",
      "an address or name of this machine",
      "127.0.0.1",
      "Address for METRICS_PORT. Anybody who reaches it can read the metrics if METRICS_TOKEN is unset.",
    ),
    token: headerSecret(
      "METRICS_TOKEN",
      { minLength: 16, make: "openssl rand -hex 32" },
      new Unset("no token is asked for on METRICS_PORT, and PORT does not serve the metrics"),
      "Bearer token that reads the metrics.",
    ),
  },
);
