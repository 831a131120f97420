import { Computed, group, integer, origins, seconds, text, Unset } from "../setting.ts";
import { maxSockets } from "./limits.ts";
import { environment } from "./server.ts";

/** TCP connections for HTTP requests, besides those of the WebSockets. */
const httpConnections = 2000;

const headersTimeout = seconds("HEADERS_TIMEOUT_SECONDS", [1, 300], 10, "Time to receive the headers of a request.");

export const httpSettings = group(
  { title: "HTTP and network" },
  {
    host: text(
      "HOST",
      "an address or name of this machine",
      Computed.from(
        environment,
        (mode) => (mode === "production" ? "0.0.0.0" : "127.0.0.1"),
        "0.0.0.0 in production, else 127.0.0.1",
      ),
      "Address to listen on. Put a proxy with TLS in front.",
    ),
    port: integer("PORT", [0, 65_535], 3000, "Port for HTTP and WebSockets; 0 picks a free one."),
    headersTimeoutMs: headersTimeout,
    requestTimeoutMs: seconds(
      "REQUEST_TIMEOUT_SECONDS",
      [Computed.from(headersTimeout, (headers) => headers, "HEADERS_TIMEOUT_SECONDS"), 3600],
      Computed.from(
        headersTimeout,
        (headers) => Math.max(15, headers),
        "15, or HEADERS_TIMEOUT_SECONDS if that is more",
      ),
      "Time to receive the body of a request. Slower clients get 408. Contents of files may take as long as they make progress.",
    ),
    responseTimeoutMs: seconds(
      "RESPONSE_TIMEOUT_SECONDS",
      [1, 3600],
      60,
      "Time from the headers of a request until the client has received the response; then the connection is closed. Contents of files may take longer, as long as they make progress.",
    ),
    keepAliveMs: seconds(
      "KEEP_ALIVE_SECONDS",
      [1, 3600],
      75,
      "How long an idle connection stays open. Must be longer than the proxy in front keeps idle connections.",
    ),
    maxConnections: integer(
      "MAX_CONNECTIONS",
      [1, 1_100_000],
      Computed.from(maxSockets, (sockets) => sockets + httpConnections, `MAX_SOCKETS + ${httpConnections}`),
      "Most TCP connections of one process, WebSockets included; others are closed at once. One client address may have half of them, besides its WebSockets.",
    ),
    maxQueuedRequests: integer(
      "MAX_WAITING_REQUESTS",
      [1, 100_000],
      512,
      "Most requests of all connections that wait to be handled; others get 503.",
    ),
    allowedOrigins: origins(
      "ALLOWED_ORIGINS",
      new Unset("only pages from the messenger's own host"),
      "Web pages on other hosts that may call the HTTP API and open WebSockets.",
    ),
    trustedProxyHops: integer(
      "TRUSTED_PROXY_HOPS",
      [0, 10],
      0,
      "Proxies in front that add to X-Forwarded-For: 1 behind one nginx, 0 when clients connect directly.",
    ),
  },
);
