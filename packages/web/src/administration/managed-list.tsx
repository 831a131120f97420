import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ErrorNote } from "../ui/error-note.tsx";
import type { Pages } from "./use-pages.ts";

interface ManagedListProps<Item> {
  label: string;
  pages: Pages<Item>;
  /** What is said if there are none. */
  empty: string;
  children(item: Item): ComponentChildren;
}

/** The rows of a list of the server, with a button that shows more of them. */
export function ManagedList<Item extends { id: number }>({ label, pages, empty, children }: ManagedListProps<Item>) {
  const { items, error, hasMore, readMore, reload } = pages;
  const list = useFocusAfterRemoval(items?.length ?? 0);
  return (
    <>
      {items === undefined && !error && <p class="empty">Loading…</p>}
      {items?.length === 0 && <p class="empty">{empty}</p>}
      {items && items.length > 0 && (
        // biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of a list without markers
        <ul ref={list} class="result-list managed-list" role="list" tabIndex={-1} aria-label={label}>
          {items.map((item) => (
            <li key={item.id} class="result">
              {children(item)}
            </li>
          ))}
        </ul>
      )}
      {error && <ErrorNote retry={() => void reload()}>{error}</ErrorNote>}
      {hasMore && !error && (
        <button type="button" class="button managed-more" onClick={() => void readMore()}>
          Show more
        </button>
      )}
    </>
  );
}

/** Keeps the focus in a list whose focused row was removed. */
function useFocusAfterRemoval(length: number) {
  const list = useRef<HTMLUListElement>(null);
  const before = useRef(length);
  useEffect(() => {
    if (length < before.current && document.activeElement === document.body) list.current?.focus();
    before.current = length;
  }, [length]);
  return list;
}
