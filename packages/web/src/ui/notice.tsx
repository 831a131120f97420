import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const text = signal<string | undefined>(undefined);
const openDialogs = signal(0);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Shows a sentence for a few seconds, such as why something failed. */
export function showNotice(sentence: string): void {
  text.value = sentence;
  clearTimeout(timer);
  timer = setTimeout(() => {
    text.value = undefined;
  }, 6000);
}

/** Notices are shown in the dialog while one is open: everything behind it is inert. */
export function useNoticesInside(): void {
  useEffect(() => {
    openDialogs.value++;
    return () => {
      openDialogs.value--;
    };
  }, []);
}

export function Notice({ isInDialog = false }: { isInDialog?: boolean }) {
  return text.value === undefined || openDialogs.value > 0 !== isInDialog ? null : (
    <p class="notice" role="alert">
      {text.value}
    </p>
  );
}
