import type { WebSocket } from "ws";

// biome-ignore lint/suspicious/noExplicitAny: an answer of any type
export type Answer = any;

/**
 * Asks over a socket on which nothing else is asked at the moment.
 * @throws Error when it is refused or the socket is closed
 */
export function ask(socket: WebSocket, type: string, params: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onClose = (code: number) => reject(new Error(`closed with ${code}`));
    const onMessage = (data: unknown) => {
      const answer = JSON.parse(String(data));
      if (answer.params?.isBroadcast) return;
      socket.off("message", onMessage).off("close", onClose);
      if (answer.success) resolve(answer);
      else reject(new Error(`${answer.code}: ${answer.message}`));
    };
    socket.on("message", onMessage).on("close", onClose);
    socket.send(JSON.stringify({ type, params }));
  });
}
