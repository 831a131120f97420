import type { RequestHandler } from "express";

/**
 * Lets one request begin in a turn of the event loop. The others wait for the next turns, in which the sockets get
 * theirs, too: a flood of requests makes itself slow, and not those who chat.
 */
export function inTurns(): RequestHandler {
  const waiting: (() => void)[] = [];
  const turn = () => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(turn);
  };
  return (_request, _response, next) => {
    if (waiting.push(next) === 1) setImmediate(turn);
  };
}
