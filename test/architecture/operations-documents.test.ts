import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { commands } from "../../src/cli/registry.ts";
import { settingVariables } from "../../src/config/read-settings.ts";

/* The documents for administrators name what exists. */

const folder = join(__dirname, "../../docs/operations");
const pages = readdirSync(folder).filter((name) => name.endsWith(".md"));
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

const names = commands.map(({ name }) => name);

describe.each(pages)("%s", (page) => {
  const text = read(page);

  test("runs commands that exist", () => {
    const used = [...text.matchAll(/(?:npm run -s messenger --|exec messenger messenger) ([a-z-]+(?: [a-z-]+)?)/g)];
    const unknown = used
      .map(([, words = ""]) => words)
      .filter((words) => !names.includes(words) && !names.includes(words.split(" ")[0] ?? ""));
    expect(unknown).toEqual([]);
  });

  test("sets variables that exist", () => {
    const foreign = new Set(["NEW_VERSION", "POSTGRES_PASSWORD", "UTF8"]);
    const used = [...text.matchAll(/(?:^|[\s`"])([A-Z][A-Z_]+)=/gm)].map(([, name = ""]) => name);
    expect(used.filter((name) => !settingVariables.includes(name) && !foreign.has(name))).toEqual([]);
  });

  test("links to files and headings that exist", () => {
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    for (const [, path = "", heading] of targets) {
      const target = path === "" ? join(folder, page) : join(dirname(join(folder, page)), path);
      expect({ path, exists: existsSync(target) }).toEqual({ path, exists: true });
      if (heading === undefined) continue;
      const headings = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w -]/g, "")
          .replaceAll(" ", "-"),
      );
      expect(headings).toContain(heading);
    }
  });
});

describe("messenger.service", () => {
  const unit = read("messenger.service");

  test("sets variables that exist", () => {
    const [, assignments = ""] = /^Environment=(.*)$/m.exec(unit) ?? [];
    const used = assignments.split(" ").map((pair) => pair.replace(/=.*/, ""));
    expect(used).toContain("NODE_ENV");
    expect(used.filter((name) => !settingVariables.includes(name))).toEqual([]);
  });

  test("starts what npm start runs, with the same options", () => {
    const { scripts } = JSON.parse(readFileSync(join(folder, "../../package.json"), "utf8"));
    const options = scripts.start.replace(/^node (.*) scripts\/start\.mjs$/, "$1");
    expect(unit).toContain(`ExecStart=/usr/bin/node ${options} dist/main.js\n`);
  });

  const analyzer = "/usr/bin/systemd-analyze";
  (existsSync(analyzer) ? test : test.skip)("is understood by systemd", () => {
    const copies = mkdtempSync(join(tmpdir(), "messenger-unit-"));
    const path = join(copies, "messenger.service");
    // Both are checked to exist.
    const here = unit.replace("/usr/bin/node", process.execPath).replace(/^Documentation=.*\n/m, "");
    writeFileSync(path, here);
    const output = execFileSync(analyzer, ["verify", path], { encoding: "utf8", stdio: "pipe" });
    rmSync(copies, { recursive: true });
    expect(output).toBe("");
  });
});
