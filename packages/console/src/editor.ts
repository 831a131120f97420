import { element } from "./elements.ts";

/** The editor of the frame to send: the example of a type, or what the user has made of it. */
export class Editor {
  private readonly type = element("#type", HTMLSelectElement);
  private readonly frame = element("#frame", HTMLTextAreaElement);
  private readonly reference = element("#type-reference", HTMLAnchorElement);
  private readonly drafts = new Map<string, string>();
  private shown = "";

  constructor(send: (frame: string) => boolean) {
    this.type.addEventListener("change", () => this.show(this.type.value));
    element("#reset-frame", HTMLButtonElement).addEventListener("click", () => {
      this.drafts.delete(this.type.value);
      this.frame.value = exampleOf(this.type.value);
      this.frame.focus();
    });
    const form = element("#frame-form", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(this.frame.value);
    });
    this.frame.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.show(this.type.value);
  }

  /** Selects a type and shows its frame; that of the type before is kept. */
  show(type: string): void {
    if (this.shown) this.drafts.set(this.shown, this.frame.value);
    this.shown = type;
    this.type.value = type;
    this.frame.value = this.drafts.get(type) ?? exampleOf(type);
    this.reference.textContent = `About ${type}`;
    this.reference.hash = type;
  }

  focus(): void {
    this.frame.focus();
  }
}

/** The page shows an example of each type already. */
const exampleOf = (type: string): string =>
  element(`#${CSS.escape(type)} .request code`, HTMLElement).textContent ?? "";
