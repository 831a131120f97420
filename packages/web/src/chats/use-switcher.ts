import { useEffect, useState } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { chatPath, navigate } from "../routing.ts";

/** Ctrl or ⌘ and K opens the switcher; Alt and the arrows walk through the chats. */
export function useSwitcher() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen(true);
      } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        walk(event.key === "ArrowUp" ? -1 : 1);
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  return { isOpen, close: () => setOpen(false) };
}

function walk(step: 1 | -1): void {
  const paths = messenger.chats.value.map(chatPath);
  const index = paths.indexOf(location.pathname);
  const next = paths[index < 0 ? 0 : index + step];
  if (next) navigate(next);
}
