import { useLayoutEffect, useRef } from "preact/hooks";

export interface MenuItem {
  label: string;
  isDangerous?: boolean;
  run(): void;
}

/** A choice that is on or off, in a row above the items. */
export interface MenuToggle {
  label: string;
  isOn: boolean;
  run(): void;
}

/** Where a menu opens: the corner of the button, or where the pointer is. */
export interface MenuPosition {
  x: number;
  y: number;
}

interface MenuProps {
  label: string;
  items: readonly MenuItem[];
  toggles?: readonly MenuToggle[];
  at: MenuPosition;
  onClose(): void;
}

const margin = 8;

/** A menu over the page. Arrow keys move, Enter chooses, Escape and a click beside it close it. */
export function Menu({ label, items, toggles = [], at, onClose }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  const buttons = () => [...(menu.current?.querySelectorAll("button") ?? [])];
  useLayoutEffect(() => {
    const element = menu.current;
    if (!element) return;
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(margin, Math.min(at.x, innerWidth - width - margin))}px`;
    element.style.top = `${Math.max(margin, at.y + height + margin > innerHeight ? at.y - height : at.y)}px`;
  }, [at]);
  // Before the next key.
  useLayoutEffect(() => {
    const before = document.activeElement;
    menu.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    return () => {
      if (before instanceof HTMLElement && document.contains(before)) before.focus({ preventScroll: true });
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = buttons();
    const index = all.indexOf(document.activeElement as HTMLButtonElement);
    const [before, after] = [index - 1, index + 1];
    const next = {
      ...{ ArrowDown: after, ArrowRight: after, ArrowUp: before, ArrowLeft: before },
      ...{ Home: 0, End: all.length - 1 },
    }[event.key];
    if (next !== undefined) all.at(next % all.length)?.focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class="menu-layer"
      role="presentation"
      onPointerDown={(event) => event.target === event.currentTarget && onClose()}
    >
      <div ref={menu} class="menu" role="menu" tabIndex={-1} aria-label={label} onKeyDown={onKeyDown}>
        {toggles.length > 0 && (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a menu
          <div class="menu-toggles" role="group" aria-label="React">
            {toggles.map(({ label: text, isOn, run }) => (
              <button
                key={text}
                type="button"
                role="menuitemcheckbox"
                aria-checked={isOn}
                tabIndex={-1}
                onClick={() => {
                  onClose();
                  run();
                }}
              >
                {text}
              </button>
            ))}
          </div>
        )}
        {items.map(({ label: text, isDangerous, run }) => (
          <button
            key={text}
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={isDangerous ? "dangerous" : ""}
            onClick={() => {
              onClose();
              run();
            }}
          >
            {text}
          </button>
        ))}
      </div>
    </div>
  );
}

/** The position of a menu below a button. */
export function below(button: Element): MenuPosition {
  const { left, bottom } = button.getBoundingClientRect();
  return { x: left, y: bottom + 4 };
}
