import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "@jest/globals";

const root = join(__dirname, "../..");
const clientSource = "packages/client/src";

interface Import {
  /** The importing file, as a path below the root. */
  file: string;
  /** The imported file as a path below the root, or the name of a package. */
  target: string;
}

const importsIn = (folder: string): Import[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(tsx?|js|mjs)$/.test(path))
    .map((path) => join(folder, path))
    .flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
        ([, from = ""]) => ({
          file,
          target: from.startsWith(".") ? relative(root, join(root, dirname(file), from)) : from,
        }),
      ),
    );

const named = ({ file, target }: Import): string => `${file} imports ${target}`;

describe("the client SDK", () => {
  test("is not imported by the server", () => {
    const breaches = importsIn("src").filter(({ target }) => /^(packages\/|messenger-client\b)/.test(target));
    expect(breaches.map(named)).toEqual([]);
  });

  test("imports its own files only, and modules of Node", () => {
    const isAllowed = ({ target }: Import) => target.startsWith(`${clientSource}/`) || target.startsWith("node:");
    const breaches = importsIn(clientSource).filter((each) => !isAllowed(each));
    expect(breaches.map(named)).toEqual([]);
  });

  test("needs no module of Node in browsers", () => {
    const imports = importsIn(clientSource);
    const reached = new Set([`${clientSource}/index.ts`]);
    for (const path of reached) for (const { file, target } of imports) if (file === path) reached.add(target);
    expect(reached.size).toBeGreaterThan(1);
    expect([...reached].filter((path) => path.startsWith("node:"))).toEqual([]);
  });

  test("has no dependencies, and the version of the server", () => {
    const manifest = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
    const { version, dependencies, peerDependencies } = manifest("packages/client/package.json");
    expect({ version, dependencies, peerDependencies }).toEqual({ version: manifest("package.json").version });
  });
});

describe("the web client", () => {
  const source = "packages/web/src";
  const packages = [
    "messenger-client",
    "messenger-client/account",
    "preact",
    "preact/hooks",
    "@preact/signals",
    "marked",
    "thumbhash",
  ];
  const sources = readdirSync(join(root, source), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => join(source, path));

  test("imports its own files, the SDK and its few packages only", () => {
    const isAllowed = ({ target }: Import) =>
      target.startsWith(`${source}/`) || packages.includes(target) || target.startsWith("emoji-picker-element-data/");
    const breaches = importsIn(source).filter((each) => !isAllowed(each));
    expect(breaches.map(named)).toEqual([]);
  });

  test("talks to the server through the SDK only, and reads no text as HTML", () => {
    const pattern =
      /\bfetch\(|\bnew (?:WebSocket|EventSource|XMLHttpRequest)\b|innerHTML|outerHTML|insertAdjacentHTML|\beval\(/i;
    const breaches = sources.filter((path) => pattern.test(readFileSync(join(root, path), "utf8")));
    // The data of the emoji, which is a file.
    expect(breaches).toEqual([`${source}/chat/emoji-picker.tsx`]);
  });
});
