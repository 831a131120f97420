import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import { type RequestHandler, Router } from "express";
import { wrongMethod } from "../error-handler.ts";
import { contentHash } from "../static-body.ts";

/** Where `npm run build` writes the bundle of `packages/client`, seen from the source and from its build alike. */
const bundle = new URL("../../../dist/client.js", import.meta.url);

export const clientModulePath = "/client.js";

type Encoding = "br" | "gzip" | "identity";

/** The module in one encoding. */
interface Representation {
  body: Buffer;
  etag: string;
}

const compress = { br: promisify(brotliCompress), gzip: promisify(gzip), identity: async (code: Buffer) => code };

async function readRepresentations(): Promise<Record<Encoding, Representation>> {
  const code = await readFile(bundle);
  const hash = contentHash(code);
  const represent = async (encoding: Encoding): Promise<Representation> => ({
    body: await compress[encoding](code),
    etag: `"${hash}-${encoding}"`,
  });
  const [br, gzip, identity] = await Promise.all([represent("br"), represent("gzip"), represent("identity")]);
  return { br, gzip, identity };
}

/** `/client.js`: the client SDK as one ES module. Pages of any origin may import it; browsers revalidate it. */
export function clientModuleRouter(limit: RequestHandler): Router {
  let representations: ReturnType<typeof readRepresentations> | undefined;
  const router = Router({ caseSensitive: true, strict: true });
  router.get(clientModulePath, limit, async (request, response) => {
    representations ??= readRepresentations().catch((error) => {
      representations = undefined;
      throw error;
    });
    const encoding = (["br", "gzip"] as const).find((name) => request.acceptsEncodings(name)) ?? "identity";
    const { body, etag } = (await representations)[encoding];
    response.set({
      "Content-Type": "text/javascript; charset=utf-8",
      ...(encoding !== "identity" && { "Content-Encoding": encoding }),
      Vary: "Accept-Encoding",
      ETag: etag,
      "Cache-Control": "no-cache",
      "Access-Control-Allow-Origin": "*",
      "Cross-Origin-Resource-Policy": "cross-origin",
    });
    response.send(body);
  });
  router.all(clientModulePath, wrongMethod(["get", "head"]));
  return router;
}
