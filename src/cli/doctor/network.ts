import { createServer } from "node:net";
import type { Config } from "../../config/settings.ts";
import { error, type Finding, warning, when } from "./finding.ts";

/** How long the server on the port may take to answer, in milliseconds. */
const answerTimeoutMs = 5000;

/** The address at which this machine reaches a server that listens on it. */
const reachableHost = (host: string): string => {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
};

/** Whether the address for people and the proxy in front fit together. */
export function checkPublicUrl({ server, http, web }: Config): Finding[] {
  const isProduction = server.environment === "production";
  if (web.publicUrl === undefined) {
    return when(isProduction, () =>
      warning(
        "PUBLIC_URL is unset",
        "The server cannot tell people its address, and makes no links.",
        "Set it to the address of the web client, such as PUBLIC_URL=https://chat.example.org.",
      ),
    );
  }
  const { protocol, hostname } = new URL(web.publicUrl);
  const isLocal = /^(localhost|127\.[\d.]+|\[::1?\]|0\.0\.0\.0)$/.test(hostname);
  return [
    ...when(isProduction && isLocal, () =>
      warning(
        `PUBLIC_URL names this machine only (${hostname})`,
        "Links with it work nowhere else.",
        "Set PUBLIC_URL to the name under which people reach the server.",
      ),
    ),
    ...when(isProduction && protocol === "http:" && !isLocal, () =>
      warning(
        "PUBLIC_URL is not https",
        "Passwords and messages cross the network unencrypted, and browsers offer the web client less.",
        "Put a proxy with TLS in front (docs/operations/proxy.md), and set PUBLIC_URL=https://….",
      ),
    ),
    ...when(protocol === "https:" && http.trustedProxyHops === 0, () =>
      warning(
        "PUBLIC_URL is https, and TRUSTED_PROXY_HOPS is 0",
        "The server itself has no TLS, so there is a proxy in front: all people then count as one address in rate limits and in the log.",
        "Set TRUSTED_PROXY_HOPS=1, or the number of proxies in front.",
      ),
    ),
  ];
}

/** Whether the port is free, or a messenger that is ready answers on it. */
export async function checkPort({ http: { host, port } }: Config): Promise<Finding[]> {
  if (port === 0) return [];
  const origin = `http://${reachableHost(host)}:${port}`;
  const live = await answerOf(`${origin}/health/live`);
  if (live?.status !== "live") {
    const reason = await whyUnusable({ host, port });
    return reason === undefined ? [] : [occupied(`${host}:${port}`, reason)];
  }
  const ready = await answerOf(`${origin}/health/ready`);
  return when(ready?.status !== "ready", () =>
    error(
      `The server on ${origin} is not ready: ${describeChecks(ready?.checks) || "it does not answer"}`,
      "It refuses requests.",
      "Its log says why; the other findings may, too.",
    ),
  );
}

const occupied = (address: string, reason: string): Finding =>
  error(
    `The server cannot listen on ${address}: ${reason}`,
    "It does not start.",
    "Stop the other program, or set PORT and HOST to a free port and an address of this machine.",
  );

/** The answer as far as it is JSON; undefined if nobody answers. */
async function answerOf(url: string): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs), redirect: "manual" });
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? { ...body } : undefined;
  } catch {
    return undefined;
  }
}

function describeChecks(checks: unknown): string {
  if (typeof checks !== "object" || checks === null) return "";
  return Object.entries(checks)
    .filter(([, state]) => state !== "ok")
    .map(([part, state]) => `${part}: ${state}`)
    .join(", ");
}

/** Listens for a moment. @returns why that is not possible */
function whyUnusable({ host, port }: { host: string; port: number }): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", (reason: NodeJS.ErrnoException) =>
      done(reason.code === "EADDRINUSE" ? "another program does" : reason.message),
    );
    server.listen(port, host, () => server.close(() => done(undefined)));
  });
}
