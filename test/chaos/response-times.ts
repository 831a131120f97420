/** Measures how long requests wait for their answers while it is switched on. */
export class ResponseTimes {
  private measured: { sentAt: number; ms: number | undefined }[] | undefined;

  start(): void {
    this.measured = [];
  }

  /** Notes that a request is sent now. @returns a function to call when it is answered */
  begin(): () => void {
    const request: { sentAt: number; ms: number | undefined } = { sentAt: performance.now(), ms: undefined };
    this.measured?.push(request);
    return () => {
      request.ms = performance.now() - request.sentAt;
    };
  }

  /** Ends measuring. @returns the median, in which requests without an answer count with the time they have waited */
  end(): number {
    const now = performance.now();
    const times = (this.measured ?? []).map(({ sentAt, ms }) => ms ?? now - sentAt);
    this.measured = undefined;
    return medianOf(times);
  }
}

/** The median of times; 0 if there are none. */
export function medianOf(times: readonly number[]): number {
  const ascending = times.toSorted((a, b) => a - b);
  return ascending[Math.floor(ascending.length / 2)] ?? 0;
}
