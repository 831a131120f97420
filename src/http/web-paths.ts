import { linkedPages } from "../services/page-links.ts";

/* The paths of the web client. They are known without its build: the log needs them too. */

/** Parts of the web client that own every path below theirs. */
const sections = ["chats", "people", "groups", "settings", "administration"];
const pagesOfLinks: ReadonlySet<string> = new Set(linkedPages.map((name) => `/${name}`));
const pages = ["/", "/log-in", "/register", "/forgotten-password", ...pagesOfLinks];

const page = (template: string) => ({ template, pattern: new RegExp(`^${template}$`) });

const clientRoutes: readonly { template: string; pattern: RegExp }[] = [
  ...pages.map(page),
  ...sections.map((name) => page(`/${name}`)),
  ...sections.map((name) => ({ template: `/${name}/{path}`, pattern: new RegExp(`^/${name}/`) })),
];

/** Assets have the hash of their content in their names; the others are icons and the manifest. */
const assets = /^\/assets\/./;
const otherFiles = /^\/(?:favicon\.ico|[a-z]+(?:-[a-z0-9]+)*\.(?:svg|png|webmanifest))$/;

/** Whether the web client may have a file at this path. */
export const isWebFile = (path: string): boolean => assets.test(path) || otherFiles.test(path);

export const isAsset = (path: string): boolean => assets.test(path);

/** Whether the web client shows a page at this path. */
export const isClientRoute = (path: string): boolean => clientRoutes.some(({ pattern }) => pattern.test(path));

/** Whether a link with a token leads to this path. The token is behind "#", so requests do not have it. */
export const isPageOfLink = (path: string): boolean => pagesOfLinks.has(path);

/** What the log says instead of the path; undefined for a path that the web client does not have. */
export function webRouteTemplate(path: string): string | undefined {
  if (isWebFile(path)) return isAsset(path) ? "/assets/{file}" : "/{file}";
  return clientRoutes.find(({ pattern }) => pattern.test(path))?.template;
}
