/**
 * JSON may contain a key "__proto__". Joi accepts it, and code that copies keys would set the prototype.
 * A loop instead of recursion: a small text can nest deeper than the stack allows.
 */
export function hasPrototypeKey(value: unknown): boolean {
  const unseen = [value];
  while (unseen.length > 0) {
    const next = unseen.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Object.hasOwn(next, "__proto__")) return true;
    for (const inner of Object.values(next)) unseen.push(inner);
  }
  return false;
}
