import type { Observable } from "messenger-client";
import { useLayoutEffect, useState } from "preact/hooks";

/** The current value of an observable; renders again when it changes. */
export function useObservable<T>(observable: Observable<T>): T {
  const [, setValue] = useState(observable.value);
  useLayoutEffect(() => observable.subscribe((value) => setValue(() => value)), [observable]);
  return observable.value;
}
