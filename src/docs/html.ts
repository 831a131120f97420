import { escapeHtml } from "../escape-html.ts";

/** Text that is HTML already; `html` does not escape it again. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[];

const render = (part: Part): string => {
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(({ text }) => text).join("\n");
  return escapeHtml(String(part));
};

/** A template for HTML: inserted values are escaped, except `Html`. */
export const html = (strings: TemplateStringsArray, ...parts: Part[]): Html =>
  new Html(strings.reduce((text, string, index) => text + render(parts[index - 1] ?? "") + string));

/** A sentence of the documents, in which `code` stands between backticks. */
export const prose = (text: string): Html => new Html(escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>"));

/** A value as a block of JSON. */
export const codeBlock = (value: unknown): Html => html`<pre><code>${JSON.stringify(value, null, 2)}</code></pre>`;

/** A table with a row of headings. */
export const table = (headings: readonly string[], rows: readonly (readonly Part[])[]): Html => html`<table>
<tr>${headings.map((heading) => html`<th>${heading}</th>`)}</tr>
${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}
</table>`;
