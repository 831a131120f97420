import type { WebSocket } from "ws";

// biome-ignore lint/suspicious/noExplicitAny: a response of any message type
export type ResponseFrame = any;

/**
 * Sends a request on a socket without other pending requests.
 * @throws Error when it is rejected or the socket is closed
 */
export function request(socket: WebSocket, type: string, params: object): Promise<ResponseFrame> {
  return new Promise((resolve, reject) => {
    const onClose = (code: number) => reject(new Error(`closed with ${code}`));
    const onMessage = (data: unknown) => {
      const response = JSON.parse(String(data));
      if (response.params?.isBroadcast) return;
      socket.off("message", onMessage).off("close", onClose);
      if (response.success) resolve(response);
      else reject(new Error(`${response.code}: ${response.message}`));
    };
    socket.on("message", onMessage).on("close", onClose);
    socket.send(JSON.stringify({ type, params }));
  });
}
