import { element } from "./elements.ts";

/** The list of types with its filter, and the collapsed section of each type. */
export function setUpTypeIndex(): void {
  const filter = element("#type-filter", HTMLInputElement);
  const count = element("#type-count", HTMLElement);
  const links = [...document.querySelectorAll<HTMLAnchorElement>("#type-index a")];
  const sections = [...document.querySelectorAll("details.type")].filter((node) => node instanceof HTMLDetailsElement);

  filter.addEventListener("input", () => {
    const words = filter.value.trim().toLowerCase();
    const summaryOf = (section: HTMLDetailsElement) => section.querySelector("summary")?.textContent ?? "";
    const shown = new Set(sections.filter((each) => summaryOf(each).toLowerCase().includes(words)).map(({ id }) => id));
    for (const section of sections) section.hidden = !shown.has(section.id);
    for (const link of links) (link.closest("li") ?? link).hidden = !shown.has(link.hash.slice(1));
    count.textContent = `${shown.size} of ${sections.length} types`;
  });

  for (const isOpen of [true, false]) {
    element(isOpen ? "#expand-types" : "#collapse-types", HTMLButtonElement).addEventListener("click", () => {
      for (const section of sections) section.open = isOpen;
    });
  }

  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!(target instanceof HTMLDetailsElement)) return;
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
  };
  // Also when the link to the section that was opened last is followed again.
  for (const link of links) link.addEventListener("click", () => setTimeout(openTarget));
  window.addEventListener("hashchange", openTarget);
  openTarget();
}
