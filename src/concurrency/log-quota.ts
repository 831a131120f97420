/**
 * Limits the lines of a log by key: the first ones within a time window, then only how many more there were, at its end.
 */
export class LogQuota<Key> {
  private readonly windows = new Map<Key, { lines: number; suppressed: number }>();

  /** @param options.onSuppressed called at the end of a window in which lines were left out */
  constructor(
    private readonly options: { maxLines: number; windowMs: number; onSuppressed: (key: Key, count: number) => void },
  ) {}

  /** Whether one more line of this key may be written; otherwise it is counted. */
  take(key: Key): boolean {
    const window = this.windows.get(key) ?? this.open(key);
    if (window.lines >= this.options.maxLines) {
      window.suppressed++;
      return false;
    }
    window.lines++;
    return true;
  }

  private open(key: Key): { lines: number; suppressed: number } {
    const window = { lines: 0, suppressed: 0 };
    this.windows.set(key, window);
    const close = () => {
      this.windows.delete(key);
      if (window.suppressed > 0) this.options.onSuppressed(key, window.suppressed);
    };
    setTimeout(close, this.options.windowMs).unref();
    return window;
  }
}
