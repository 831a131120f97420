let lastTime = 0;
let count = 0;

/**
 * A UUID of version 7 (RFC 9562): the time in milliseconds, then a counter, then random bits. Each is greater than those
 * made before, also after the clock has been set back.
 */
export function uuid(): string {
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    count = 0;
  } else if (++count > 0xfff) {
    lastTime++;
    count = 0;
  }
  const random = crypto.getRandomValues(new Uint8Array(8));
  random[0] = 0x80 | ((random[0] ?? 0) & 0x3f);
  const hex = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = lastTime.toString(16).padStart(12, "0");
  const counter = count.toString(16).padStart(3, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${hex.slice(0, 4)}-${hex.slice(4)}`;
}

/** Makes later ids greater than this one, which an earlier run may have made with a clock that was ahead. */
export function continueAfter(id: string): void {
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  if (time >= lastTime) {
    lastTime = time + 1;
    count = 0;
  }
}
