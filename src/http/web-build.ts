import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { escapeHtml } from "../escape-html.ts";
import { compressedFile, type StaticFile, staticFile } from "./static-file.ts";

/** Where `npm run build` writes the web client, seen from the source and from its build alike. */
const folder = fileURLToPath(new URL("../../dist/web", import.meta.url));

const contentTypes: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".mp3": "audio/mpeg",
};

/** Read by `packages/web/src/only-for-links.ts`. */
const onlyForLinks = '<meta name="web-client" content="off">';

/** The web client in memory. */
export interface WebBuild {
  /** The page of every client route. */
  page: StaticFile;
  /** By path, such as "/assets/index-B3x.js". */
  files: ReadonlyMap<string, StaticFile>;
}

/**
 * Reads the build, and writes the name of the server into its page and its manifest.
 * @param options.isOnlyForLinks tells the page that there is nothing behind the pages that links lead to
 */
export async function readWebBuild({
  serverName,
  isOnlyForLinks,
}: {
  serverName: string;
  isOnlyForLinks: boolean;
}): Promise<WebBuild> {
  const names = await filesIn(folder);
  const read = (name: string) => readFile(join(folder, name));
  const readIf = async (name: string) => (names.has(name) ? read(name) : undefined);
  const files = new Map<string, StaticFile>();
  for (const name of names) {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined) continue;
    const [identity, br, gzip] = await Promise.all([read(name), readIf(`${name}.br`), readIf(`${name}.gz`)]);
    files.set(`/${name}`, staticFile(contentType, { identity, br, gzip }));
  }
  const manifest = namedManifest(await readFile(join(folder, "manifest.webmanifest"), "utf8"), serverName);
  files.set("/manifest.webmanifest", await compressedFile("application/manifest+json; charset=utf-8", manifest));
  const titled = titledPage(await readFile(join(folder, "index.html"), "utf8"), serverName);
  const page = isOnlyForLinks ? titled.replace("</head>", `${onlyForLinks}</head>`) : titled;
  return { page: await compressedFile("text/html; charset=utf-8", page), files };
}

async function filesIn(path: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(path, { recursive: true }));
  } catch (cause) {
    throw new Error("the web client is not built: run `npm run build`", { cause });
  }
}

const titledPage = (page: string, title: string): string =>
  page.replace(/<title>[^<]*<\/title>/, () => `<title>${escapeHtml(title)}</title>`);

const namedManifest = (manifest: string, name: string): string =>
  JSON.stringify({ ...JSON.parse(manifest), name, short_name: name });
