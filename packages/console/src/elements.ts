/** The element of the page that matches; the page and this script come from the same server. */
export function element<Kind extends Element>(
  selector: string,
  kind: new () => Kind,
  within: ParentNode = document,
): Kind {
  const found = within.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** Creates an element that contains these texts and elements. */
export function create<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string>,
  ...content: (string | Node)[]
): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) created.setAttribute(attribute, value);
  created.append(...content);
  return created;
}

/** Copies a text, also on pages without TLS, where browsers have no `navigator.clipboard`. */
export async function copy(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const focused = document.activeElement;
  const source = create("textarea", { class: "copy-source", "aria-hidden": "true" });
  source.value = text;
  document.body.append(source);
  source.select();
  document.execCommand("copy");
  source.remove();
  if (focused instanceof HTMLElement) focused.focus();
}
