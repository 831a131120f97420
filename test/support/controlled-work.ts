/** Work that the test completes. */
export function controlledWork<T>() {
  const started: { ids: number[]; end: (result: T) => void; fail: (error: Error) => void }[] = [];
  const run = (ids: number[]) => new Promise<T>((resolve, reject) => started.push({ ids, end: resolve, fail: reject }));
  return { started, run };
}

/** Waits until everything that is ready to run has run. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
