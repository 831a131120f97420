// `npm run new:message -- NAME FEATURE`: writes the skeleton of a message type into src/ws/messages/FEATURE and adds it
// to the registry. What is left to do is printed, and named by the checks and tests that fail until then.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const messages = `${root}src/ws/messages`;
const registryPath = `${root}src/ws/registry.ts`;

const skeleton = (type: string): string => `import { chatId, nothing } from "../../../contract/fields.ts";
import { object } from "../../../contract/schema.ts";
import { AppError } from "../../../errors.ts";
import { defineMessage } from "../../message-type.ts";

export const ${type} = defineMessage({
  type: "${type}",
  summary: "What the type does, in one sentence for developers of clients.",
  params: object({ chatId: chatId() }),
  data: nothing(),
  item: nothing(),
  errors: ["NOT_MEMBER"],
  example: {
    params: { chatId: 1 },
    data: null,
    item: null,
    prepare: ({ dialogId }) => ({ chatId: dialogId }),
  },
  async handle() {
    throw new AppError("internal", "${type} is not implemented yet");
  },
});
`;

/** Adds the import and the entry of a message type to the source of the registry. */
function register(source: string, type: string, importPath: string): string {
  const imports = source.match(/^import \{ .*$/gm) ?? [];
  const lastImport = imports.at(-1);
  const endOfTypes = "} as const;";
  if (!lastImport || !source.includes(endOfTypes)) throw new Error(`${registryPath} has an unexpected form`);
  return source
    .replace(lastImport, `${lastImport}\nimport { ${type} } from "${importPath}";`)
    .replace(endOfTypes, `  ${type},\n${endOfTypes}`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const [type = "", feature = ""] = process.argv.slice(2);
const features = readdirSync(messages);
if (!/^[a-z][a-zA-Z]+$/.test(type) || !/^[a-z-]+$/.test(feature)) {
  fail(`Usage: npm run new:message -- NAME FEATURE
NAME is the type in camelCase, such as pinMessage; FEATURE is a folder of src/ws/messages: ${features.join(", ")}.`);
}
const fileName = `${type.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`;
const path = `${messages}/${feature}/${fileName}`;
const registry = readFileSync(registryPath, "utf8");
if (existsSync(path) || new RegExp(`^ {2}${type},$`, "m").test(registry)) fail(`${type} exists already.`);

mkdirSync(`${messages}/${feature}`, { recursive: true });
writeFileSync(path, skeleton(type));
writeFileSync(registryPath, register(registry, type, `./messages/${feature}/${fileName}`));
process.stdout.write(`Written: src/ws/messages/${feature}/${fileName}, and its line in src/ws/registry.ts.
Next:
  1. Fill in the file: params, answer, push, errors, example, handler.
  2. Add its row to the table of test/matrix.test.ts, which says who may use it, and a test of what it does.
  3. npm run docs, and describe it in PROTOCOL.md and CHANGELOG.md
  4. npm run check && npx jest --testPathPatterns "examples|matrix"
`);
