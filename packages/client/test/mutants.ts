import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import jestConfig from "../../../jest.config.ts";

// npm run client:mutants [-- "part of a name"]
// Runs the tests of the client SDK against copies with one deliberate fault each. Fails if a fault is not detected.

/** The tests that use the model server. */
const files = ["account", "exit", "model", "outbox", "personal-state", "reactions", "session", "sync", "timeline"].map(
  (name) => `test/${name}.test.ts`,
);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const client = join(root, "packages/client");

interface Mutant {
  name: string;
  /** Where the copy is changed: the only occurrence of `from` in a file of `src`. */
  edits: readonly { in: string; from: string; to: string }[];
}

const mutants: readonly Mutant[] = [
  {
    name: "makes an id for each attempt",
    edits: [
      { in: "outbox.ts", from: "{ content: text, clientMessageId,", to: "{ content: text, clientMessageId: uuid()," },
    ],
  },
  {
    name: "acknowledges a message without storing it",
    edits: [
      {
        in: "outbox.ts",
        from: "await this.options.store.set(prefix + entry.key, entry.content as unknown as Json);",
        to: "",
      },
    ],
  },
  {
    name: "applies a push whatever version is missing before it",
    edits: [
      { in: "replica.ts", from: "if (!chat || version > chat.version + 1)", to: "if (!chat)" },
      { in: "replica.ts", from: "else if (version === chat.version + 1)", to: "else if (version > chat.version)" },
    ],
  },
  {
    name: "forgets own reactions that a push does not name",
    edits: [{ in: "history.ts", from: " || known?.some((one) => one.mine && one.emoji === emoji)", to: "" }],
  },
  {
    name: "applies a change of personal state whatever is missing before it",
    edits: [
      {
        in: "personal-state.ts",
        from: "if (stateVersion > this.version + 1) this.events.onGap();\n    else if",
        to: "if",
      },
    ],
  },
  {
    name: "sends settings as they were when they were changed offline",
    edits: [
      {
        in: "account.ts",
        from: "patched(this.replica.state.keys.get(key), patch)",
        to: "patched(undefined, patch)",
      },
    ],
  },
  {
    name: "does not ask for the number of mentions where it does not keep the messages",
    edits: [{ in: "replica.ts", from: "      this.events.onGap(chat.chatId);\n    }\n  }\n", to: "    }\n  }\n" }],
  },
  {
    name: "applies pushes before the first sync answer",
    edits: [{ in: "replica.ts", from: "if (!this.acceptsPushes || ", to: "if (" }],
  },
  {
    name: "refreshes tokens without the lock",
    edits: [
      {
        in: "session.ts",
        from: "this.renewing ??= this.options.store\n      .lock(key, () => this.renewLocked())",
        to: "this.renewing ??= this.renewLocked()",
      },
    ],
  },
  {
    name: "does not update the previews of replies",
    edits: [
      {
        in: "history.ts",
        from: "if (reply.replyTo?.messageId === original.messageId)",
        to: "if (false)",
      },
    ],
  },
  {
    name: "removes a message from the outbox before the answer",
    edits: [
      {
        in: "outbox.ts",
        from: "const item = await this.sendOnce(",
        to: "void this.options.store.delete(prefix + entry.key);\n        const item = await this.sendOnce(",
      },
    ],
  },
];

const only = process.argv[2] ?? "";
const copy = join(client, ".mutant");
try {
  for (const mutant of [undefined, ...mutants]) {
    const name = mutant?.name ?? "unmodified";
    if (!name.includes(only)) continue;
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy);
    for (const folder of ["src", "test"]) cpSync(join(client, folder), join(copy, folder), { recursive: true });
    for (const edit of mutant?.edits ?? []) apply(edit);
    const { output, status } = test();
    const caught = [...output.matchAll(/^\s*✕ (.*?)(?: \(\d.*)?$/gm)].map(([, title]) => title);
    process.stdout.write(`| ${name} | ${caught.join("; ") || "not detected"} |\n`);
    if (mutant ? caught.length > 0 : status === 0) continue;
    process.exitCode = 1;
    process.stdout.write(output);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function test(): { output: string; status: number | null } {
  const { transform } = (jestConfig.projects ?? []).find((project) => typeof project === "object") ?? {};
  const config = { rootDir: copy, testEnvironment: "node", testTimeout: 30_000, transform };
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/jest/bin/jest.js"),
      "--runInBand",
      "--verbose",
      "--config",
      JSON.stringify(config),
      ...files,
    ],
    { cwd: root, encoding: "utf8", env: { ...process.env, MODEL_SEED: process.env.MODEL_SEED ?? "1" } },
  );
  return { output: stdout + stderr, status };
}

/** @throws Error unless the text occurs exactly once */
function apply({ in: file, from, to }: Mutant["edits"][number]): void {
  const path = join(copy, "src", file);
  const source = readFileSync(path, "utf8");
  if (source.split(from).length !== 2) throw new Error(`a mutant no longer applies to ${file}: ${from}`);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
}
