import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "@jest/globals";

const source = join(__dirname, "../../src");

/** Who may import whom, the lowest first. A part is a folder of `src`, or a file of its own. */
const layers: Record<string, readonly string[]> = {
  errors: [],
  domain: [],
  "domain-errors": ["errors"],
  logger: [],
  "escape-html": [],
  mail: ["escape-html", "domain"],
  metrics: [],
  version: [],
  concurrency: [],
  files: ["concurrency", "errors", "logger"],
  config: ["domain", "errors"],
  contract: ["domain", "errors"],
  models: ["domain"],
  db: ["models", "domain", "concurrency", "errors", "logger"],
  backup: ["files", "db", "domain", "errors", "logger"],
  bus: ["contract", "concurrency", "errors", "logger", "metrics"],
  delivery: ["bus", "contract", "domain", "concurrency", "errors", "logger", "metrics"],
  writes: ["delivery", "db", "domain", "domain-errors", "concurrency", "errors", "metrics"],
  services: [
    "mail",
    "files",
    "writes",
    "delivery",
    "bus",
    "db",
    "models",
    "contract",
    "domain",
    "domain-errors",
    "concurrency",
    "errors",
    "logger",
    "metrics",
  ],
  jobs: ["delivery", "backup", "db", "domain", "logger"],
  http: [
    "escape-html",
    "services",
    "contract",
    "domain",
    "domain-errors",
    "concurrency",
    "errors",
    "logger",
    "metrics",
  ],
  ws: ["services", "delivery", "bus", "db", "contract", "domain", "concurrency", "errors", "logger", "metrics"],
  docs: ["escape-html", "http", "ws", "contract"],
  "server-status": ["http", "ws", "db", "contract", "config", "domain"],
  "server-metrics": ["http", "ws", "services", "backup", "db", "config", "errors", "logger", "metrics"],
  "file-parts": ["files", "services", "config"],
  runtime: [
    "file-parts",
    "server-metrics",
    "server-status",
    "docs",
    "http",
    "ws",
    "jobs",
    "services",
    "files",
    "mail",
    "writes",
    "delivery",
    "bus",
    "db",
    "config",
    "concurrency",
    "logger",
    "metrics",
    "version",
  ],
  server: [
    "runtime",
    "file-parts",
    "server-metrics",
    "server-status",
    "http",
    "ws",
    "jobs",
    "services",
    "backup",
    "bus",
    "db",
    "config",
    "concurrency",
    "logger",
    "metrics",
    "version",
  ],
  main: ["server", "cli", "config", "errors", "logger"],
  cli: [
    "main",
    "file-parts",
    "files",
    "services",
    "bus",
    "backup",
    "db",
    "contract",
    "config",
    "domain",
    "domain-errors",
    "errors",
    "logger",
    "version",
  ],
};

/** The only layers that may import these packages. */
const owners: Record<string, readonly string[]> = {
  express: ["http"],
  nodemailer: ["mail"],
  cors: ["http"],
  "content-disposition": ["http"],
  "range-parser": ["http"],
  helmet: ["http"],
  "rate-limiter-flexible": ["services"],
  "swagger-ui-express": ["http"],
  "prom-client": ["metrics"],
  ws: ["ws"],
  joi: ["contract", "config"],
  "lru-cache": ["services", "delivery", "writes"],
  dotenv: ["config"],
  pino: ["logger"],
  "pino-pretty": ["logger"],
  jsonwebtoken: ["services"],
  bcrypt: ["services"],
  commander: ["cli"],
  sequelize: ["db", "models", "writes", "services"],
  "sequelize-typescript": ["db", "models"],
  pg: ["db"],
  "pg-connection-string": ["db"],
  "@redis/client": ["bus"],
  yazl: ["backup"],
  yauzl: ["backup"],
  "file-type/core": ["files"],
  thumbhash: ["files"],
  "@aws-sdk/client-s3": ["files"],
  sharp: ["files"],
  "@electric-sql/pglite": ["db"],
  "@electric-sql/pglite-socket": ["db"],
};

interface SourceFile {
  path: string;
  part: string;
  text: string;
  imports: { from: string; typesOnly: boolean }[];
}

const files: SourceFile[] = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.(ts|js)$/.test(path))
  .map((path) => {
    const text = readFileSync(join(source, path), "utf8");
    const imports = [...text.matchAll(/^(?:import|export) (type )?(?:[^;"']*? from )?"([^"]+)"/gm)].map((match) => ({
      from: match[2] ?? "",
      typesOnly: match[1] !== undefined,
    }));
    return { path, part: partOf(path), text, imports };
  });

function partOf(path: string): string {
  return path.split("/")[0]?.replace(/\.ts$/, "") ?? path;
}

const target = (file: SourceFile, from: string): string => relative(source, join(source, dirname(file.path), from));

describe("architecture", () => {
  test("every part has its place in the table of layers", () => {
    expect([...new Set(files.map(({ part }) => part))].sort()).toEqual(Object.keys(layers).sort());
  });

  test("nobody imports upwards, and http and ws never meet", () => {
    const breaches = files.flatMap((file) =>
      file.imports
        .filter(({ from }) => from.startsWith("."))
        .map(({ from }) => partOf(target(file, from)))
        .filter((part) => part !== file.part && !layers[file.part]?.includes(part))
        .map((part) => `${file.path} imports ${part}`),
    );
    expect(breaches).toEqual([]);
  });

  test("no file imports itself through others, not even for its types", () => {
    const targets = new Map(
      files.map((file) => [file.path, file.imports.map(({ from }) => from.startsWith(".") && target(file, from))]),
    );
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" > "));
      if (trail.includes(path) || done.has(path)) return;
      for (const next of targets.get(path) ?? []) if (next) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(cycles).toEqual([]);
  });

  test("services import the contract only where they declare topics of the bus", () => {
    const imports = (file: SourceFile, path: string) => file.imports.some(({ from }) => target(file, from) === path);
    const breaches = files
      .filter(({ part }) => part === "services")
      .filter((file) =>
        file.imports.some(({ from }) => from.startsWith(".") && partOf(target(file, from)) === "contract"),
      )
      .filter((file) => !imports(file, "bus/topic.ts"))
      .map(({ path }) => path);
    expect(breaches).toEqual([]);
  });

  test("the sockets see no more of the database than the types of its rows", () => {
    const breaches = files
      .filter(({ part }) => part === "ws")
      .flatMap((file) =>
        file.imports
          .filter(({ from, typesOnly }) => from.startsWith(".") && partOf(target(file, from)) === "db" && !typesOnly)
          .map(({ from }) => `${file.path} imports ${from}`),
      );
    expect(breaches).toEqual([]);
  });

  test("every package is known to its owners only, and every one that is imported has owners", () => {
    const breaches = files.flatMap((file) =>
      file.imports
        .filter(({ from }) => !from.startsWith(".") && !from.startsWith("node:"))
        .filter(({ from }) => !owners[from]?.includes(file.part))
        .map(({ from }) => `${file.path} imports ${from}`),
    );
    expect(breaches).toEqual([]);
  });

  test("the environment is read in one place", () => {
    expect(files.filter(({ text }) => text.includes("process.env")).map(({ path }) => path)).toEqual([
      "config/read-settings.ts",
    ]);
  });

  test("the wall clock is read only where a time of day is meant", () => {
    // Durations use performance.now(); what processes compare uses the clock of the database (decision 23).
    const reasons: Record<string, string> = {
      "metrics/metrics.ts": "the age of a file on this machine",
      "services/accounts/tokens.ts": "the expiry of a JWT",
      "mail/folder-transport.ts": "the name of a file, for people",
      "jobs/automatic-backups.ts": "the age and the name of a file",
      "ws/messages/session/ping.ts": "a time that clients show",
      "ws/connection.ts": "the expiry of a JWT",
      "cli/doctor/backups.ts": "the age of files",
      "db/queries/diagnosis.ts": "compared with the clock of the database",
      "services/accounts/session-use.ts": "a time that clients show",
      "services/files/file-links.ts": "the expiry of a link",
      "services/files/uuid.ts": "the time in an id, which only orders",
      "jobs/collect-files.ts": "the age of files",
      "cli/commands/fsck.ts": "the age of files",
      "backup/file-parts.ts": "the age of a file",
      "services/presence/presence-tracker.ts": "a time that clients show",
    };
    const readers = files.filter(({ text }) => /\bDate\.now\b|new Date\(\)/.test(text)).map(({ path }) => path);
    expect(readers.sort()).toEqual(Object.keys(reasons).sort());
  });

  test("every message type is one file and one line in the registry", () => {
    const registry = files.find(({ path }) => path === "ws/registry.ts");
    const registered = registry?.imports.map(({ from }) => from).filter((from) => from.startsWith("./messages/"));
    const written = files.map(({ path }) => path).filter((path) => path.startsWith("ws/messages/"));
    expect(registered?.sort()).toEqual(written.map((path) => path.replace(/^ws/, ".")).sort());
  });
});
