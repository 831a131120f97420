import { signal } from "@preact/signals";

const text = signal<string | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Shows a sentence for a few seconds, such as why something failed. */
export function showNotice(sentence: string): void {
  text.value = sentence;
  clearTimeout(timer);
  timer = setTimeout(() => {
    text.value = undefined;
  }, 6000);
}

export function Notice() {
  return text.value === undefined ? null : (
    <p class="notice" role="alert">
      {text.value}
    </p>
  );
}
