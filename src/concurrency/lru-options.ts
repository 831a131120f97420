/**
 * The options of an `LRUCache` with at most this many entries. With its option `max` it would allocate the memory for all of
 * them at once, which takes a large part of the start.
 */
export const atMost = (entries: number) => ({ maxSize: entries, sizeCalculation: () => 1 });
