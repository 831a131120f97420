import { readFile } from "node:fs/promises";
import { type RequestHandler, Router } from "express";
import { wrongMethod } from "../error-handler.ts";
import { compressedFile, readOnce, sendStaticFile } from "../static-file.ts";

/** Where `npm run build` writes the bundle of `packages/client`, seen from the source and from its build alike. */
const bundle = new URL("../../../dist/client.js", import.meta.url);

export const clientModulePath = "/client.js";

/** `/client.js`: the client SDK as one ES module. Pages of any origin may import it; browsers revalidate it. */
export function clientModuleRouter(limit: RequestHandler): Router {
  const read = readOnce(async () => compressedFile("text/javascript; charset=utf-8", await readFile(bundle)));
  const router = Router({ caseSensitive: true, strict: true });
  router.get(clientModulePath, limit, async (request, response) => {
    const file = await read();
    response.set({ "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin" });
    sendStaticFile(request, response, file, "no-cache");
  });
  router.all(clientModulePath, wrongMethod(["get", "head"]));
  return router;
}
