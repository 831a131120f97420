import { useState } from "preact/hooks";
import { Icon } from "../ui/icon.tsx";
import { below, Menu, type MenuItem, type MenuPosition } from "../ui/menu.tsx";

/** A button that opens the actions of a row. */
export function RowMenu({ name, items }: { name: string; items: readonly MenuItem[] }) {
  const [at, setAt] = useState<MenuPosition>();
  return (
    <>
      <button
        type="button"
        class="icon-button"
        aria-haspopup="menu"
        aria-label={`Actions for ${name}`}
        onClick={(event) => setAt(below(event.currentTarget))}
      >
        <Icon name="more" />
      </button>
      {at && <Menu label={`Actions for ${name}`} items={items} at={at} onClose={() => setAt(undefined)} />}
    </>
  );
}
