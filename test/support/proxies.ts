import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./cluster.ts";

const run = promisify(execFile);
const documents = join(__dirname, "../../docs/operations");

const findProgram = (name: string): string | undefined =>
  [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

const nginx = findProgram("nginx");
const caddy = findProgram("caddy");
const openssl = findProgram("openssl");

export const canStartNginx = nginx !== undefined && openssl !== undefined;
export const canStartCaddy = caddy !== undefined && openssl !== undefined;

/** The host in the sample files. */
const host = "chat.example.org";

export interface ProxyOptions {
  /** The ports of the processes behind the proxy, as many as in the sample file. */
  upstreams: readonly number[];
}

/** A proxy with TLS, run with the sample file of the documents. */
export class TestProxy {
  private constructor(
    private readonly folder: string,
    private readonly child: ChildProcess,
    /** The port for https. */
    readonly port: number,
    /** The port for http. */
    readonly httpPort: number,
    /** The certificate, which is its own authority. */
    readonly certificate: string,
  ) {}

  static async startNginx(options: ProxyOptions): Promise<TestProxy> {
    return TestProxy.start(options, async ({ folder, text, port, httpPort }) => {
      const site = replaceAll(text("nginx.conf"), [
        [/^ *listen \[::\]:.*\n/gm, ""],
        [/listen 80;/, `listen 127.0.0.1:${httpPort};`],
        [/listen 443 ssl http2;/, `listen 127.0.0.1:${port} ssl http2;`],
        [/\/etc\/letsencrypt\/live\/[^/]+\/fullchain\.pem/, join(folder, "certificate.pem")],
        [/\/etc\/letsencrypt\/live\/[^/]+\/privkey\.pem/, join(folder, "key.pem")],
        [/\/var\/log\/nginx\/messenger\.log/, join(folder, "access.log")],
      ]);
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
        .join("\n");
      const main = join(folder, "main.conf");
      const user = process.getuid?.() === 0 ? "user root;\n" : "";
      const head = `${user}daemon off;\npid ${join(folder, "pid")};\nerror_log stderr;\nevents {}\n`;
      await writeFile(main, `${head}http {\n${temporary}\n${site}\n}\n`);
      return spawn(nginx ?? "nginx", ["-c", main, "-p", folder, "-e", "stderr"], {
        stdio: ["ignore", "ignore", "pipe"],
      });
    });
  }

  static async startCaddy(options: ProxyOptions): Promise<TestProxy> {
    return TestProxy.start(options, async ({ folder, text, port, httpPort }) => {
      const site = replaceAll(text("Caddyfile"), [
        [
          /^chat\.example\.org \{\n/m,
          `${host}:${port} {\n\ttls ${join(folder, "certificate.pem")} ${join(folder, "key.pem")}\n`,
        ],
        [/\/var\/log\/caddy\/messenger\.log/, join(folder, "access.log")],
      ]);
      const config = join(folder, "Caddyfile");
      await writeFile(config, `{\n\tadmin off\n\thttp_port ${httpPort}\n\thttps_port ${port}\n}\n${site}`);
      const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
      return spawn(caddy ?? "caddy", ["run", "--config", config, "--adapter", "caddyfile"], {
        stdio: ["ignore", "ignore", "pipe"],
        env,
      });
    });
  }

  private static async start(
    { upstreams }: ProxyOptions,
    launch: (site: {
      folder: string;
      /** A sample file with the ports of the test's processes. */
      text: (name: string) => string;
      port: number;
      httpPort: number;
    }) => Promise<ChildProcess>,
  ): Promise<TestProxy> {
    const folder = await mkdtemp(join(tmpdir(), "messenger-proxy-"));
    const certificate = await makeCertificate(folder);
    const [port, httpPort] = [await freePort(), await freePort()];
    const samples = new Map<string, string>();
    for (const name of ["nginx.conf", "Caddyfile"]) samples.set(name, await readFile(join(documents, name), "utf8"));
    const text = (name: string) =>
      upstreams.reduce(
        (sample, upstream, index) =>
          replaceAll(sample, [[new RegExp(`127\\.0\\.0\\.1:${3001 + index}\\b`), `127.0.0.1:${upstream}`]]),
        samples.get(name) ?? "",
      );
    const child = await launch({ folder, text, port, httpPort });
    const proxy = new TestProxy(folder, child, port, httpPort, certificate);
    await proxy.listening();
    return proxy;
  }

  /** Makes a request over TLS. */
  request(
    method: string,
    path: string,
    options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
    const text = options.body === undefined ? undefined : JSON.stringify(options.body);
    const headers = {
      ...this.address.headers,
      ...options.headers,
      ...(options.token && { authorization: `Bearer ${options.token}` }),
      ...(text && { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request({ ...this.address, method, path, headers, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.on("error", reject);
      });
      sent.on("error", reject).end(text);
    });
  }

  /** How clients of `https` and `ws` reach it under the name of the sample file. */
  get address() {
    return {
      port: this.port,
      host: "127.0.0.1",
      servername: host,
      ca: this.certificate,
      headers: { host: `${host}:${this.port}` },
    };
  }

  accessLog(): Promise<string> {
    return readFile(join(this.folder, "access.log"), "utf8");
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill("SIGTERM");
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  private async listening(): Promise<void> {
    let errors = "";
    this.child.stderr?.on("data", (chunk) => {
      errors += chunk;
    });
    for (;;) {
      const isUp = await new Promise<boolean>((resolve) => {
        const socket = connect(this.port, "127.0.0.1", () => resolve(socket.destroy() !== undefined));
        socket.once("error", () => resolve(false));
      });
      if (isUp) return;
      if (this.child.exitCode !== null) throw new Error(`the proxy has exited: ${errors}`);
    }
  }
}

/** Makes a certificate for the host of the sample files. @returns the certificate */
async function makeCertificate(folder: string): Promise<string> {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run(openssl ?? "openssl", [
    "req",
    "-x509",
    ...algorithm,
    "-days",
    "2",
    "-keyout",
    key,
    "-out",
    certificate,
    ...subject,
  ]);
  return readFile(certificate, "utf8");
}

/** Replaces parts of a sample file. @throws Error if one is not there: the sample has changed */
function replaceAll(sample: string, replacements: readonly (readonly [RegExp, string])[]): string {
  let text = sample;
  for (const [pattern, replacement] of replacements) {
    if (!new RegExp(pattern).test(text)) throw new Error(`the sample file has nothing like ${pattern}`);
    text = text.replace(pattern, replacement);
  }
  return text;
}
