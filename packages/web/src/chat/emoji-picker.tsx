import dataUrl from "emoji-picker-element-data/en/emojibase/data.json?url";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

interface Emoji {
  emoji: string;
  annotation: string;
  tags?: string[];
  group: number;
}

const groupNames = ["Smileys", "People", "", "Nature", "Food", "Places", "Activities", "Objects", "Symbols", "Flags"];
const maxFound = 80;
const columns = 8;

let loading: Promise<readonly Emoji[]> | undefined;

/** The emoji, from the server that serves the page. */
function loadEmoji(): Promise<readonly Emoji[]> {
  loading ??= fetch(dataUrl).then((response) => response.json());
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

/** A grid of all emoji, with a search. */
export function EmojiPicker({ onChoose, onClose }: { onChoose(emoji: string): void; onClose(): void }) {
  const [all, setAll] = useState<readonly Emoji[]>([]);
  const [search, setSearch] = useState("");
  const picker = useRef<HTMLDivElement>(null);
  useEffect(() => {
    loadEmoji().then(setAll, onClose);
    const before = document.activeElement;
    picker.current?.querySelector("input")?.focus();
    // The field of the message has the focus after an emoji was chosen.
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      onClose();
    };
    const onPointerDown = (event: PointerEvent) => {
      const { target } = event;
      if (target instanceof Element && !target.closest(".emoji")) onClose();
    };
    addEventListener("pointerdown", onPointerDown);
    addEventListener("keydown", onEscape, { capture: true });
    return () => {
      removeEventListener("pointerdown", onPointerDown);
      removeEventListener("keydown", onEscape, { capture: true });
      if (before instanceof HTMLElement && document.activeElement === document.body) before.focus();
    };
  }, []);
  const groups = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    if (wanted) {
      const found = all.filter(
        ({ annotation, tags }) => annotation.includes(wanted) || tags?.some((tag) => tag.startsWith(wanted)),
      );
      return [{ name: "Found", emoji: found.slice(0, maxFound) }];
    }
    return groupNames
      .map((name, group) => ({ name, emoji: all.filter((emoji) => emoji.group === group) }))
      .filter(({ name, emoji }) => name && emoji.length > 0);
  }, [all, search]);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const buttons = [...(picker.current?.querySelectorAll<HTMLElement>(".emoji-grid button") ?? [])];
    const index = buttons.indexOf(document.activeElement as HTMLElement);
    if (step === undefined || (index < 0 && event.key !== "ArrowDown")) return;
    event.preventDefault();
    buttons[index < 0 ? 0 : index + step]?.focus();
  };
  return (
    <div ref={picker} class="emoji-picker" role="dialog" aria-label="Emoji" onKeyDown={onKeyDown}>
      <input
        type="search"
        aria-label="Find an emoji"
        placeholder="Find an emoji"
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <div class="emoji-groups">
        {groups.map(({ name, emoji }) => (
          <section key={name} aria-label={name}>
            <h3>{name}</h3>
            <div class="emoji-grid">
              {emoji.map((one) => (
                <button
                  key={one.emoji}
                  type="button"
                  aria-label={one.annotation}
                  title={one.annotation}
                  onClick={() => onChoose(one.emoji)}
                >
                  {one.emoji}
                </button>
              ))}
            </div>
          </section>
        ))}
      </div>
    </div>
  );
}
