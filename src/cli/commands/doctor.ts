import { defineCommand } from "../command.ts";
import { diagnose } from "../doctor/diagnose.ts";

export const doctor = defineCommand({
  name: "doctor",
  summary:
    "Checks the set-up without changing anything, and says what is wrong, why it matters and how to fix it. Exit code 1 if there is an error.",
  needs: "nothing",
  async run() {
    const findings = await diagnose();
    const texts = findings.map(({ level, what, why, fix }) => `${level}: ${what}\n  why: ${why}\n  fix: ${fix}\n`);
    const errors = findings.filter(({ level }) => level === "error").length;
    const summary = `${errors} errors, ${findings.length - errors} warnings.\n`;
    return { text: [...texts, summary].join("\n"), data: { findings }, hasFailed: errors > 0 };
  },
});
