import { describeSettings } from "../../config/describe-settings.ts";
import { defineCommand, textTable } from "../command.ts";

export const configCommand = defineCommand({
  name: "config",
  summary: "Prints every setting with its value, where it comes from and its unit. Secrets are masked.",
  needs: "nothing",
  async run() {
    const rows = describeSettings();
    const text = textTable(
      ["setting", "value", "unit", "source"],
      rows.map(({ name, value, unit, source }) => [name, value ?? "-", unit ?? "", source]),
    );
    return { text, data: { data: rows } };
  },
});
