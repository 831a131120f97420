import { execFileSync } from "node:child_process";
import type { IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { sendUndecoded } from "./support/undecoded-http.ts";

const messenger = useMessenger();

const send = (method: string, headers?: Record<string, string>, path = "/client.js") =>
  sendUndecoded(messenger().port, method, path, headers);

const cacheHeaders = ({ etag, vary, "cache-control": cacheControl }: IncomingHttpHeaders) => ({
  etag,
  vary,
  cacheControl,
});

describe("GET /client.js", () => {
  test("is a module that can be imported as it is", async () => {
    const { status, headers, body } = await send("GET");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/javascript; charset=utf-8");
    const url = `data:text/javascript;base64,${body.toString("base64")}`;
    const program = `const module = await import(${JSON.stringify(url)}); console.log(Object.keys(module).length > 0);`;
    expect(execFileSync(process.execPath, ["--input-type=module", "-"], { input: program }).toString()).toBe("true\n");
  });

  test("may be imported by pages of every origin", async () => {
    const { headers } = await send("GET", { origin: "https://elsewhere.example.org" });
    expect(headers["access-control-allow-origin"]).toBe("*");
    expect(headers["cross-origin-resource-policy"]).toBe("cross-origin");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  test.each([
    ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
    ["gzip, deflate", "gzip", gunzipSync],
    ["br;q=0, gzip", "gzip", gunzipSync],
  ])("is compressed for Accept-Encoding: %s", async (accepted, encoding, decompress) => {
    const plain = await send("GET");
    const { headers, body } = await send("GET", { "accept-encoding": accepted });
    expect(headers["content-encoding"]).toBe(encoding);
    expect(headers["content-length"]).toBe(String(body.length));
    expect(body.length).toBeLessThan(plain.body.length);
    expect(decompress(body)).toEqual(plain.body);
    expect(headers.etag).not.toBe(plain.headers.etag);
  });

  test.each([undefined, "identity", "zstd"])("is not compressed for Accept-Encoding: %s", async (accepted) => {
    const { headers } = await send("GET", accepted === undefined ? {} : { "accept-encoding": accepted });
    expect(headers["content-encoding"]).toBeUndefined();
  });

  test.each(["br", "gzip", "identity"])("is revalidated by its strong ETag, as %s", async (accepted) => {
    const first = await send("GET", { "accept-encoding": accepted });
    expect(cacheHeaders(first.headers)).toEqual({
      etag: expect.stringMatching(/^"[\w-]+"$/),
      vary: "Accept-Encoding",
      cacheControl: "no-cache",
    });
    const second = await send("GET", { "accept-encoding": accepted, "if-none-match": String(first.headers.etag) });
    expect({ status: second.status, size: second.body.length }).toEqual({ status: 304, size: 0 });
    expect(cacheHeaders(second.headers)).toEqual(cacheHeaders(first.headers));
    expect(second.headers["access-control-allow-origin"]).toBe("*");
  });

  test("HEAD has the headers of GET and no body", async () => {
    const got = await send("GET", { "accept-encoding": "br" });
    const { status, headers, body } = await send("HEAD", { "accept-encoding": "br" });
    expect({ status, size: body.length }).toEqual({ status: 200, size: 0 });
    expect({ ...headers, date: "" }).toEqual({ ...got.headers, date: "" });
  });

  test("has one spelling and no other methods", async () => {
    expect(await send("POST")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    for (const path of ["/Client.js", "/client.js/", "/client"]) expect((await send("GET", {}, path)).status).toBe(404);
  });
});
