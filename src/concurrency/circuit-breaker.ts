/** Options of a circuit breaker. */
export interface CircuitBreakerOptions {
  /** How long an operation or a probe may take, in milliseconds. */
  timeoutMs: number;
  /** Time between two probes, in milliseconds. */
  probeIntervalMs: number;
  /** Resolves if the dependency works. Never runs twice at the same time. */
  probe: () => Promise<unknown>;
  /** Probes while closed too, so that a dependency that hangs is found before an operation needs it. */
  probesWhileClosed?: boolean;
  /** Whether a failed operation opens the circuit; otherwise its error is thrown. By default every failure does. */
  isFailure?: (error: unknown) => boolean;
  onOpen: (error: Error) => void;
  /** @param openMs how long the circuit was open */
  onClose: (openMs: number) => void;
}

export type CircuitState = "closed" | "open" | "half-open";

/** A circuit that opens again so soon after it closed, in milliseconds, needs twice as many successful probes. */
const flappingMs = 10_000;
const maxProbesToClose = 16;

/**
 * Keeps callers from waiting for a dependency that hangs or fails. While the circuit is closed, operations run. The first
 * one that takes too long or fails opens it, and ends the wait of all others. While it is open, nobody waits; a probe in
 * the background (half-open) closes it when it succeeds in time.
 */
export class CircuitBreaker {
  private current: CircuitState = "closed";
  private error: Error | undefined;
  private openedAt = 0;
  private closedAt = Number.NEGATIVE_INFINITY;
  /** Successful probes that are still missing before the circuit closes. */
  private missingProbes = 0;
  private probesToClose = 1;
  private isProbing = false;
  private timer: NodeJS.Timeout | undefined;
  /** Ends the waits of the operations in progress. */
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: CircuitBreakerOptions) {
    if (options.probesWhileClosed) this.startProbing();
  }

  get state(): CircuitState {
    return this.current;
  }

  get isClosed(): boolean {
    return this.current === "closed";
  }

  /** Why the circuit is open; undefined while it is closed. */
  get reason(): Error | undefined {
    return this.error;
  }

  /**
   * Runs an operation, or the fallback while the circuit is open. The fallback also runs if the operation fails, takes too
   * long, or is in progress when the circuit opens; the operation may then still take effect.
   */
  async run<T>(operation: () => Promise<T>, fallback: () => T | Promise<T>): Promise<T> {
    if (!this.isClosed) return fallback();
    try {
      const result = await this.inTime(operation);
      if (result) return result.value;
    } catch (error) {
      if (this.options.isFailure?.(error) === false) throw error;
      this.open(error as Error);
    }
    return fallback();
  }

  /** Opens the circuit, unless it is open. */
  open(error: Error): void {
    if (this.error) return;
    this.error = error;
    this.current = "open";
    this.openedAt = performance.now();
    const isFlapping = this.openedAt - this.closedAt < flappingMs;
    this.probesToClose = isFlapping ? Math.min(2 * this.probesToClose, maxProbesToClose) : 1;
    this.missingProbes = this.probesToClose;
    for (const endWait of this.waiting) endWait();
    this.waiting.clear();
    this.options.onOpen(error);
    this.startProbing();
  }

  /** Probes now instead of at the next interval: there is a reason to believe that the dependency has changed. */
  probeNow(): void {
    void this.runProbe();
  }

  /** Stops probing. The circuit keeps its state. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** @returns undefined if the circuit opened meanwhile, also because the operation took too long */
  private inTime<T>(operation: () => Promise<T>): Promise<{ value: T } | undefined> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.waiting.delete(endWait);
      };
      const endWait = () => {
        end();
        resolve(undefined);
      };
      const timer = setTimeout(() => {
        // After a long turn of the event loop the reply may have arrived already, but not been read.
        setImmediate(() => {
          if (this.waiting.has(endWait)) this.open(timedOut(this.options.timeoutMs));
        });
      }, this.options.timeoutMs);
      this.waiting.add(endWait);
      operation().then(
        (value) => {
          end();
          resolve({ value });
        },
        (error) => {
          end();
          reject(error);
        },
      );
    });
  }

  private startProbing(): void {
    this.timer ??= setInterval(() => void this.runProbe(), this.options.probeIntervalMs).unref();
  }

  private async runProbe(): Promise<void> {
    // A hanging dependency gets one probe, not one each second.
    if (this.isProbing) return;
    this.isProbing = true;
    if (!this.isClosed) this.current = "half-open";
    const { timeoutMs, probe } = this.options;
    const probed = probe();
    const release = () => {
      this.isProbing = false;
    };
    probed.then(release, release);
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => setImmediate(() => reject(timedOut(timeoutMs))), timeoutMs);
    });
    try {
      await Promise.race([probed, expired]);
      this.probeSucceeded();
    } catch (error) {
      if (this.isClosed) this.open(error as Error);
      else this.probeFailed();
    } finally {
      clearTimeout(timer);
    }
  }

  private probeFailed(): void {
    this.current = "open";
    this.missingProbes = this.probesToClose;
  }

  private probeSucceeded(): void {
    if (!this.error) return;
    this.current = "open";
    if (--this.missingProbes > 0) return;
    this.current = "closed";
    this.error = undefined;
    this.closedAt = performance.now();
    if (!this.options.probesWhileClosed) this.stop();
    this.options.onClose(this.closedAt - this.openedAt);
  }
}

const timedOut = (timeoutMs: number) => new Error(`no reply within ${timeoutMs} ms`);
