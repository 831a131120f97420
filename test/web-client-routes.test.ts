import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { startChromium } from "./support/chromium.ts";
import { LogLines } from "./support/log-lines.ts";
import { useMessenger } from "./support/messenger.ts";
import { describeWithChromium } from "./support/prerequisites.ts";
import { sendUndecoded } from "./support/undecoded-http.ts";

/* How the server sends the web client; what it does in a browser is tested elsewhere. */

const log = new LogLines();
const messenger = useMessenger({ SERVER_NAME: "Tom & Jerry <3 $& \"'" }, log.log);
const escapedName = "Tom &amp; Jerry &lt;3 $&amp; &quot;&#39;";

const acceptOfBrowsers = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const html = { accept: acceptOfBrowsers };

const send = (method: string, path: string, headers?: Record<string, string>) =>
  sendUndecoded(messenger().port, method, path, headers);

/** The paths of the files that the page names. */
async function filesOfPage(): Promise<string[]> {
  const { body } = await send("GET", "/", html);
  return [...body.toString().matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
}

let script = "";
beforeAll(async () => {
  script = (await filesOfPage()).find((path) => path.endsWith(".js")) ?? "";
});

const secretPath = "eyJhbGciOiJIUzI1NiJ9";
const clientRoutes: [path: string, route: string][] = [
  ["/", "/"],
  ["/?x=1", "/"],
  ["/chats", "/chats"],
  ["/chats/12", "/chats/{path}"],
  [`/chats/12/${secretPath}`, "/chats/{path}"],
  ["/people", "/people"],
  ["/groups/new", "/groups/{path}"],
  ["/settings", "/settings"],
  ["/settings/sessions", "/settings/{path}"],
  ["/log-in", "/log-in"],
  ["/register", "/register"],
  ["/forgotten-password", "/forgotten-password"],
  ["/administration", "/administration"],
  ["/administration/users", "/administration/{path}"],
  [`/invite?token=${secretPath}`, "/invite"],
  ["/setup", "/setup"],
  ["/reset", "/reset"],
  ["/verify", "/verify"],
];

describe("a route of the web client", () => {
  test.each(clientRoutes)("%s is the page for a browser, and is logged as %s", async (path, route) => {
    log.clear();
    const { status, headers, body } = await send("GET", path, html);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" });
    expect(body.toString()).toMatch(/^<!doctype html>/i);
    expect(await log.waitFor({ msg: "request" })).toMatchObject({ route, method: "GET", status: 200, level: "info" });
    expect(log.output).not.toContain(secretPath);
  });

  test.each(clientRoutes)("%s is 404 for a client that does not name HTML", async (path) => {
    for (const headers of [{}, { accept: "*/*" }, { accept: "application/json" }, { accept: "text/html;q=0, */*" }]) {
      const { status, headers: answered, body } = await send("GET", path, headers);
      expect({ status, type: answered["content-type"] }).toEqual({ status: 404, type: "application/problem+json" });
      expect(JSON.parse(body.toString())).toMatchObject({ code: "NOT_FOUND", detail: "No such path; see /api" });
      expect(answered["cache-control"]).toBe("no-store");
    }
  });

  test.each(["POST", "PUT", "DELETE"])("is 404 for %s", async (method) => {
    expect((await send(method, "/", html)).status).toBe(404);
  });

  test.each(["text/html", "TEXT/HTML; charset=utf-8", "application/json, text/html;q=0.1"])(
    "is the page for Accept: %s",
    async (accept) => {
      expect((await send("GET", "/", { accept })).status).toBe(200);
    },
  );

  test.each([
    "/nowhere",
    "/chatsandmore",
    "/Chats",
    "/log-in/",
    "/invite/",
    "/invites/a/b",
    "//chats",
    "/index.html",
    "/.inputs",
  ])("is not %s", async (path) => {
    const { status, headers } = await send("GET", path, html);
    expect({ status, type: headers["content-type"] }).toEqual({ status: 404, type: "application/problem+json" });
  });

  test("leaves the routes of the API to the API", async () => {
    expect((await send("GET", "/users/me", html)).status).toBe(401);
    expect((await send("GET", "/api/info", html)).headers["content-type"]).toMatch(/^application\/json/);
  });
});

describe("the page", () => {
  test("allows nothing inline and nothing from other hosts", async () => {
    const { headers, body } = await send("GET", "/", html);
    expect(String(headers["content-security-policy"]).split(";").sort()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "img-src 'self' data: blob:",
      "media-src 'self' blob:",
      "object-src 'none'",
    ]);
    expect(body.toString()).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/i);
    expect(headers).toMatchObject({ "referrer-policy": "no-referrer", "x-content-type-options": "nosniff" });
  });

  test("has the name of the server as its title, and the manifest has it too", async () => {
    expect((await send("GET", "/", html)).body.toString()).toContain(`<title>${escapedName}</title>`);
    const { headers, body } = await send("GET", "/manifest.webmanifest");
    expect(headers["content-type"]).toBe("application/manifest+json; charset=utf-8");
    const { name, short_name, icons } = JSON.parse(body.toString());
    const { name: ofInfo } = (await messenger().http("GET", "/api/info")).body;
    expect([name, short_name]).toEqual([ofInfo, ofInfo]);
    for (const { src, type } of icons) expect((await send("GET", src)).headers["content-type"]).toBe(type);
  });

  test("names only files that the server has", async () => {
    const files = await filesOfPage();
    expect(files).toEqual(expect.arrayContaining(["/favicon.ico", "/icon.svg", "/manifest.webmanifest"]));
    for (const path of files) expect({ path, status: (await send("GET", path)).status }).toEqual({ path, status: 200 });
  });

  test.each([
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
    ["identity", (body: Buffer) => body],
  ])("is revalidated by its ETag, as %s", async (encoding, decode) => {
    const request = { ...html, "accept-encoding": encoding };
    const { headers, body } = await send("GET", "/", request);
    expect(headers["content-encoding"] ?? "identity").toBe(encoding);
    expect(decode(body).toString()).toContain(escapedName);
    expect(headers.vary).toBe("Accept, Accept-Encoding");
    const again = await send("GET", "/chats/1", { ...request, "if-none-match": String(headers.etag) });
    expect({ status: again.status, size: again.body.length }).toEqual({ status: 304, size: 0 });
    for (const name of ["etag", "vary", "cache-control", "content-security-policy"])
      expect(again.headers[name]).toBe(headers[name]);
  });

  test("answers HEAD with the headers of GET", async () => {
    const got = await send("GET", "/chats", html);
    const { status, headers, body } = await send("HEAD", "/chats", html);
    expect({ status, size: body.length }).toEqual({ status: 200, size: 0 });
    expect({ ...headers, date: "" }).toEqual({ ...got.headers, date: "" });
  });
});

describe("an asset", () => {
  test("is cached for ever, under a name that changes with its content", async () => {
    const { status, headers } = await send("GET", script);
    expect(script).toMatch(/^\/assets\/[\w-]+-[\w-]{8}\.js$/);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      vary: "Accept-Encoding",
      "x-content-type-options": "nosniff",
    });
  });

  test.each([
    ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
    ["gzip, deflate", "gzip", gunzipSync],
    ["br;q=0, gzip", "gzip", gunzipSync],
  ])("is compressed for Accept-Encoding: %s", async (accepted, encoding, decompress) => {
    const plain = await send("GET", script);
    const { headers, body } = await send("GET", script, { "accept-encoding": accepted });
    expect(headers).toMatchObject({ "content-encoding": encoding, "content-length": String(body.length) });
    expect(decompress(body)).toEqual(plain.body);
    expect(headers.etag).not.toBe(plain.headers.etag);
  });

  test("is not compressed if the client does not ask for it", async () => {
    for (const headers of [undefined, { "accept-encoding": "zstd" }, { "accept-encoding": "identity" }])
      expect((await send("GET", script, headers)).headers["content-encoding"]).toBeUndefined();
  });

  test("is revalidated by its ETag, answers HEAD and refuses other methods", async () => {
    const got = await send("GET", script);
    expect((await send("GET", script, { "if-none-match": String(got.headers.etag) })).status).toBe(304);
    const head = await send("HEAD", script);
    expect({ status: head.status, size: head.body.length }).toEqual({ status: 200, size: 0 });
    expect(head.headers["content-length"]).toBe(String(got.body.length));
    expect(await send("POST", script)).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });

  test.each([
    "/assets/unknown.js",
    "/assets/",
    "/assets",
    "/assets/../index.html",
    "/assets/../.inputs",
    "/assets/..%2findex.html",
    "/assets/..%2f..%2fmain.js",
    "/assets/%2e%2e/%2e%2e/main.js",
    "/assets/..\\..\\main.js",
    "/assets/%00",
    "/assets/%",
    "/assets//etc/passwd",
    "/../../package.json",
    "/constructor",
    "/assets/constructor",
  ])("that does not exist (%s) is 404, never the page", async (path) => {
    const { status, headers, body } = await send("GET", path, html);
    expect({ status, type: headers["content-type"] }).toEqual({ status: 404, type: "application/problem+json" });
    expect(headers["cache-control"]).toBe("no-store");
    expect(JSON.parse(body.toString())).toMatchObject({ code: "NOT_FOUND" });
  });

  test("is not sent under the names of its compressed versions", async () => {
    for (const ending of [".br", ".gz"]) expect((await send("GET", `${script}${ending}`)).status).toBe(404);
  });

  test("has no line of its own in the log, which has one for the page", async () => {
    log.clear();
    for (const path of [script, "/favicon.ico", "/icon.svg"]) expect((await send("GET", path)).status).toBe(200);
    expect((await send("GET", "/assets/unknown.js")).status).toBe(404);
    expect(await log.waitFor({ msg: "request" })).toMatchObject({ route: "/assets/{file}", status: 404 });
    expect(log.lines.filter(({ level }) => level === "info")).toHaveLength(1);
  });
});

describe("the icon", () => {
  test("is at /favicon.ico, cached for a day", async () => {
    const { status, headers, body } = await send("GET", "/favicon.ico");
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "image/x-icon" });
    expect(headers["cache-control"]).toBe("public, max-age=86400");
    expect(body.subarray(0, 4)).toEqual(Buffer.from([0, 0, 1, 0]));
  });
});

describeWithChromium("the policy of the page in a browser", () => {
  test("allows WebSockets to the server, and blocks other hosts and inline scripts", async () => {
    const browser = await startChromium();
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${messenger().port}/`);
      const { token } = await messenger().person();
      const outcome = await page.evaluate(async (bearer) => {
        const socket = new WebSocket(location.origin.replace("http", "ws"), ["messenger.v1", `bearer.${bearer}`]);
        const webSocket = await new Promise((resolve) => {
          socket.onopen = () => resolve("open");
          socket.onerror = () => resolve("error");
        });
        socket.close();
        const blocked = (directive: string) =>
          new Promise((resolve) => {
            document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
              if (effectiveDirective === directive) resolve("blocked");
            });
          });
        const [connection, inlineScript] = [blocked("connect-src"), blocked("script-src-elem")];
        fetch("http://localhost:1/").catch(() => {});
        const script = document.createElement("script");
        script.textContent = "document.title = 'inline'";
        document.head.append(script);
        return { webSocket, connection: await connection, inlineScript: await inlineScript };
      }, token);
      expect(outcome).toEqual({ webSocket: "open", connection: "blocked", inlineScript: "blocked" });
    } finally {
      await browser.close();
    }
  });
});

describe("with WEB_CLIENT=off", () => {
  const withoutClient = useMessenger({ WEB_CLIENT: "off" });
  const open = (path: string) => sendUndecoded(withoutClient().port, "GET", path, html);

  test.each(["/", "/chats/12", "/log-in", "/register", "/settings"])("%s is 404 for a browser", async (path) => {
    const { status, headers } = await open(path);
    expect({ status, type: headers["content-type"] }).toEqual({ status: 404, type: "application/problem+json" });
  });

  test.each(["/setup", "/invite", "/reset", "/verify"])("%s, to which links lead, is still a page", async (path) => {
    const { status, headers, body } = await open(path);
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "text/html; charset=utf-8" });
    expect(body.toString()).toContain('<meta name="web-client" content="off">');
    for (const [, file = ""] of body.toString().matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect({ file, status: (await open(file)).status }).toEqual({ file, status: 200 });
    }
  });

  test("the SDK and the documents are still served", async () => {
    const status = async (path: string) => (await open(path)).status;
    expect(await Promise.all(["/client.js", "/api/", "/api/websocket"].map(status))).toEqual([200, 200, 200]);
  });
});
