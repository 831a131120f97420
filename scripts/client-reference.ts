import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// packages/client/docs/api.md, from the doc comments in the declarations that are published with the client.

const root = join(import.meta.dirname, "..");

/** The declarations of each module by its file name, formatted, so that whatever is inside a declaration is indented. */
function readDeclarations(): ReadonlyMap<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "client-declarations-"));
  const run = (program: string, ...options: string[]) =>
    execFileSync(join(root, "node_modules/.bin", program), options, {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  const out = ["--emitDeclarationOnly", "--outDir", folder, "--tsBuildInfoFile", join(folder, ".tsbuildinfo")];
  try {
    run("tsc", "-p", "packages/client/tsconfig.build.json", ...out);
    run("biome", "format", "--write", `--config-path=${root}`, "--vcs-enabled=false", folder);
    const names = readdirSync(folder).filter((name) => name.endsWith(".d.ts"));
    return new Map(names.map((name) => [name.replace(".d.ts", ".ts"), readFileSync(join(folder, name), "utf8")]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Export {
  name: string;
  module: string;
  /** Whether it is exported as a type only: then a class cannot be constructed. */
  isType: boolean;
}

/** The named exports of an entry, in its order. */
const exportsOf = (entry: string): Export[] =>
  [...entry.matchAll(/^export (type )?\{([^}]*)\} from "\.\/([^"]+)";/gm)].flatMap(
    ([, type, names = "", module = ""]) =>
      [...names.matchAll(/(type )?(\w+)/g)].map(([, ownType, name = ""]) => ({
        name,
        module,
        isType: (type ?? ownType) !== undefined,
      })),
  );

interface Declaration {
  name: string;
  kind: string;
  comment: string;
  code: string;
}

const docComment = "/\\*\\*(?:(?!\\*/)[^])*\\*/";

/** @throws Error if the module does not declare the name */
function declarationOf({ name, isType }: Export, text: string): Declaration {
  const keyword = "(?:declare )?(?:abstract )?(class|function|interface|type|const)";
  // A declaration ends before the next line that is not indented.
  const pattern = new RegExp(`^(${docComment}\\n)?export ${keyword} ${name}\\b(?:[^](?!\\n[/\\w]))*[^]?`, "m");
  const match = pattern.exec(text);
  if (!match) throw new Error(`There is no declaration of ${name}`);
  const [whole, comment = "", kind = ""] = match;
  const code = whole.slice(comment.length).replace(/^export (declare )?/, "");
  const hidden = isType ? ["private ", "constructor"] : ["private "];
  return { name, kind, comment, code: hidden.reduce(withoutMembers, code).trimEnd() };
}

/** A class without the members that begin with a word, and without their comments. */
const withoutMembers = (code: string, word: string): string =>
  code.replace(new RegExp(`^ {2}(?:${docComment}\\n {2})?${word}[^]*?;\\n(?= {2}[\\w/[]|\\})`, "gm"), "");

/** A doc comment as Markdown: the tags become a list. */
function prose(comment: string): string {
  const text = comment
    .replace(/^\/\*\*\s?|\s*\*\/\s*$/g, "")
    .replace(/^ \* ?/gm, "")
    .trim();
  return text
    .replace(/\s*@param ([\w.]+) /g, "\n- `$1`: ")
    .replace(/\s*@returns /g, "\n- returns ")
    .replace(/\s*@throws (\w+)/g, "\n- throws `$1`")
    .replace(/\n- /, "\n\n- ");
}

const section = ({ name, comment, code }: Declaration): string => `### ${name}

${comment ? `${prose(comment)}\n\n` : ""}\`\`\`ts
${code}
\`\`\`
`;

const groups = { Classes: ["class"], Functions: ["function", "const"], Types: ["interface", "type"] };

/** The sections of the exports of an entry, by kind. */
function sections(declarations: readonly Declaration[]): string {
  return Object.entries(groups)
    .map(([title, kinds]) => ({ title, members: declarations.filter(({ kind }) => kinds.includes(kind)) }))
    .filter(({ members }) => members.length > 0)
    .map(({ title, members }) => {
      const links = members.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(" · ");
      return `## ${title}\n\n${links}\n\n${members.map(section).join("\n")}`;
    })
    .join("\n");
}

/** The reference of the client's API as Markdown. */
export function clientReference(): string {
  const modules = readDeclarations();
  const declarationsOf = (entry: string) =>
    exportsOf(modules.get(entry) ?? "").map((each) => declarationOf(each, modules.get(each.module) ?? ""));
  const isMessenger = ({ name }: Declaration) => name === "Messenger";
  const main = declarationsOf("index.ts").sort((a, b) => Number(isMessenger(b)) - Number(isMessenger(a)));
  return `# API reference

Everything that \`messenger-client\` exports, written by \`npm run docs\` from the doc comments of its source. The types of
the protocol, such as \`MessageItem\`, are exported too: see [protocol.ts](../src/protocol.ts).

${sections(main)}
## messenger-client/account

${declarationsOf("account-entry.ts").map(section).join("\n")}
## messenger-client/node

${declarationsOf("node.ts").map(section).join("\n")}`;
}
