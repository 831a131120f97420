import { signal } from "@preact/signals";

const text = signal("");

/** Has a screen reader say a sentence when it is idle. */
export function announce(sentence: string): void {
  text.value = sentence;
}

export function Announcer() {
  return (
    <p class="visually-hidden" aria-live="polite">
      {text.value}
    </p>
  );
}
