import { signal } from "@preact/signals";

const prefix = "draft ";

/** The texts that are not sent yet and that only this device has, by the path of the chat. */
const drafts = signal<ReadonlyMap<string, string>>(readAll());

function readAll(): Map<string, string> {
  try {
    return new Map(
      Object.entries(localStorage)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, text]) => [key.slice(prefix.length), String(text)]),
    );
  } catch {
    return new Map();
  }
}

export const draftOf = (path: string): string => drafts.value.get(path) ?? "";

export function keepDraft(path: string, text: string): void {
  if (draftOf(path) === text) return;
  const next = new Map(drafts.value);
  if (text.trim()) next.set(path, text);
  else next.delete(path);
  drafts.value = next;
  try {
    if (text.trim()) localStorage.setItem(prefix + path, text);
    else localStorage.removeItem(prefix + path);
  } catch {
    // It lasts as long as the page.
  }
}

/** Removes all drafts, those of other tabs too: they belong to the user whose session has ended. */
export function forgetDrafts(): void {
  drafts.value = new Map();
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key);
  } catch {
    // There are none.
  }
}
