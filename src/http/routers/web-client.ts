import { type Request, type Response, Router } from "express";
import { asksForHtml } from "../asks-for-html.ts";
import { wrongMethod } from "../error-handler.ts";
import { strictPagePolicy } from "../page-policy.ts";
import { readOnce, sendStaticFile } from "../static-file.ts";
import { readWebBuild } from "../web-build.ts";
import { isAsset, isClientRoute, isPageOfLink, isWebFile } from "../web-paths.ts";

/** Names of assets change with their content. */
const assetCaching = "public, max-age=31536000, immutable";
const fileCaching = "public, max-age=86400";
const pageCaching = "no-cache";

/**
 * The web client: its files, and its page at the paths of its routes for clients that ask for HTML. To all others these
 * paths are what they are without it, such as routes of the API. Where it is not enabled, only the pages that links with a
 * token lead to are left.
 */
export function webClientRouter({ enabled, serverName }: { enabled: boolean; serverName: string }): Router {
  const isPage = enabled ? isClientRoute : isPageOfLink;
  const read = readOnce(() => readWebBuild({ serverName, isOnlyForLinks: !enabled }));
  const router = Router({ caseSensitive: true, strict: true });
  const onlyReads = wrongMethod(["get", "head"]);

  router.use(async (request, response, next) => {
    const { path } = request;
    if (isWebFile(path)) {
      const file = (await read()).files.get(path);
      if (!file) next();
      else if (!isRead(request)) onlyReads(request, response, next);
      else sendStaticFile(request, response, file, isAsset(path) ? assetCaching : fileCaching);
    } else if (isRead(request) && isPage(path)) {
      response.vary("Accept");
      if (asksForHtml(request)) await sendPage(request, response);
      else next();
    } else next();
  });

  async function sendPage(request: Request, response: Response): Promise<void> {
    const { page } = await read();
    strictPagePolicy(request, response, () => sendStaticFile(request, response, page, pageCaching));
  }
  return router;
}

const isRead = ({ method }: Request): boolean => method === "GET" || method === "HEAD";
