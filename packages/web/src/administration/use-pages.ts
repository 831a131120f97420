import { useEffect, useRef, useState } from "preact/hooks";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { pathWith } from "./paths.ts";

const limit = 30;

/** What the server answers to a request for a list. */
interface Page<Item> {
  data: readonly Item[];
  nextCursor: string | null;
}

/** A list that is read in pages. */
export interface Pages<Item> {
  /** Undefined until the first page was read. */
  items: readonly Item[] | undefined;
  error: string | undefined;
  hasMore: boolean;
  readMore(): Promise<void>;
  /** Reads the list again from its beginning. */
  reload(): Promise<void>;
  /** Shows an item as it is now. */
  replace(item: Item): void;
  remove(id: number): void;
}

/** Reads a list of the server, again with each change of the query. */
export function usePages<Item extends { id: number }>(path: string, query: object = {}): Pages<Item> {
  const first = pathWith(path, { ...query, limit });
  const [items, setItems] = useState<readonly Item[]>();
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<string>();
  /** Answers to earlier requests are not shown. */
  const latest = useRef(0);
  const read = async (cursor?: string) => {
    const request = ++latest.current;
    try {
      const page = await messenger.call<Page<Item>>("GET", pathWith(path, { ...query, limit, cursor }));
      if (request !== latest.current) return;
      setItems((shown = []) => (cursor === undefined ? page.data : [...shown, ...page.data]));
      setNext(page.nextCursor);
      setError(undefined);
    } catch (failure) {
      if (request === latest.current) setError(errorText(failure));
    }
  };
  useEffect(() => {
    void read();
    return () => void latest.current++;
  }, [first]);
  return {
    items,
    error,
    hasMore: next !== null,
    readMore: () => read(next ?? undefined),
    reload: () => read(),
    replace: (item) => setItems((shown) => shown?.map((each) => (each.id === item.id ? item : each))),
    remove: (id) => setItems((shown) => shown?.filter((each) => each.id !== id)),
  };
}
