import { copy, create, element } from "./elements.ts";

/** Older entries are removed. */
const maxEntries = 500;

/** How far above the newest entry the log may be scrolled and still follow, in pixels. */
const tolerance = 24;

export type FrameKind = "sent" | "answer" | "push" | "error" | "event";

const kindNames: Record<FrameKind, string> = {
  sent: "Sent",
  answer: "Answer",
  push: "Push",
  error: "Error",
  event: "Connection",
};

interface Entry {
  kind: FrameKind;
  text: string;
  item: HTMLLIElement;
}

/** The frames of the console: what was sent and received, with a filter. */
export class FrameLog {
  private readonly log = element("#frames", HTMLElement);
  private readonly list = element("ol", HTMLOListElement, this.log);
  private readonly filter = element("#frame-filter", HTMLInputElement);
  private readonly shownKind = element("#frame-kind", HTMLSelectElement);
  private readonly notice = element("#frame-notice", HTMLElement);
  private entries: Entry[] = [];

  constructor() {
    this.filter.addEventListener("input", this.applyFilter);
    this.shownKind.addEventListener("change", this.applyFilter);
    element("#clear-frames", HTMLButtonElement).addEventListener("click", () => {
      this.entries = [];
      this.list.replaceChildren();
      this.notice.textContent = "Cleared.";
    });
    element("#copy-frames", HTMLButtonElement).addEventListener("click", () => {
      const shown = this.entries.filter((entry) => this.isShown(entry));
      void this.copy(shown.map(({ text }) => text).join("\n"), `${shown.length} entries`);
    });
  }

  /** Adds a frame, of which `text` is what was on the wire. */
  add(kind: FrameKind, text: string): void {
    const isFollowing = this.isAtNewest();
    const frame = parse(text);
    const title = typeof frame?.type === "string" ? frame.type : "";
    const button = create(
      "button",
      { type: "button", "aria-label": `Copy ${kindNames[kind]} ${title}`.trim() },
      "Copy",
    );
    button.addEventListener("click", () => void this.copy(text, kindNames[kind]));
    const item = create(
      "li",
      { "data-kind": kind },
      create(
        "div",
        { class: "frame-head" },
        create("span", { class: "kind" }, kindNames[kind]),
        create("strong", {}, title),
        create("time", {}, timeOfDay()),
        button,
      ),
      create("pre", {}, frame === undefined ? text : JSON.stringify(frame, null, 2)),
    );
    const entry = { kind, text, item };
    item.hidden = !this.isShown(entry);
    this.entries.push(entry);
    this.list.append(item);
    for (const old of this.entries.splice(0, this.entries.length - maxEntries)) old.item.remove();
    // The beginning of an entry says what it is.
    if (isFollowing) this.log.scrollTop = item.offsetTop;
  }

  private isAtNewest(): boolean {
    const newest = this.entries.at(-1)?.item.offsetTop ?? 0;
    const end = this.log.scrollHeight - this.log.clientHeight;
    return this.log.scrollTop >= Math.min(newest, end) - tolerance;
  }

  private isShown({ kind, text }: Entry): boolean {
    const [wanted, words] = [this.shownKind.value, this.filter.value.trim().toLowerCase()];
    return (wanted === "" || wanted === kind) && text.toLowerCase().includes(words);
  }

  private readonly applyFilter = (): void => {
    for (const entry of this.entries) entry.item.hidden = !this.isShown(entry);
    const shown = this.entries.filter(({ item }) => !item.hidden).length;
    this.notice.textContent = `${shown} of ${this.entries.length} shown.`;
  };

  private async copy(text: string, what: string): Promise<void> {
    await copy(text);
    this.notice.textContent = `Copied: ${what}.`;
  }
}

/** A frame as an object; undefined for anything else, such as an invalid frame that was sent. */
export function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function timeOfDay(): string {
  const now = new Date();
  return `${now.toLocaleTimeString([], { hour12: false })}.${String(now.getMilliseconds()).padStart(3, "0")}`;
}
