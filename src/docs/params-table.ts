import type { JsonSchema } from "../contract/schema.ts";
import { type Html, html, prose, table } from "./html.ts";

/** The part of JSON Schema that describes a param. */
interface Rule {
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}

/** The table of the params of a request, from their self-contained JSON Schema. */
export function paramsTable(params: JsonSchema): Html {
  const { properties = {}, required = [] } = params as { properties?: Record<string, Rule>; required?: string[] };
  const entries = Object.entries(properties);
  if (entries.length === 0) return html`<p>No params.</p>`;
  return table(
    ["param", "required", "rule", "meaning"],
    entries.map(([name, rule]) => [
      html`<code>${name}</code>`,
      required.includes(name) ? "required" : "optional",
      ruleText(rule),
      prose(rule.description ?? ""),
    ]),
  );
}

/** The type and the limits of a param, such as "integer, 1 to 100". */
function ruleText({ type, enum: values, minimum, maximum, minLength, maxLength }: Rule): string {
  if (values) return values.map((value) => JSON.stringify(value)).join(" or ");
  const kind = [type ?? "any"].flat().join(" or ");
  const [min, max] = [minimum ?? minLength, maximum ?? maxLength];
  if (min === undefined || max === undefined) return kind;
  return `${kind}, ${min} to ${max === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : max}`;
}
