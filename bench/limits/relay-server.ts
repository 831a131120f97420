import { type WebSocket, WebSocketServer } from "ws";

/** What a limit understands of the wire: the two frames that send a message. */
interface SendFrame {
  type: "privateMessage" | "messageInGroup";
  params: { receiverId?: number; groupId?: number; content: string; clientMessageId: string };
  requestId: number;
}

/** A message that is to be kept, if the limit keeps any, before it is answered and passed on. */
export interface RelayedMessage extends SendFrame {
  senderId: number;
}

/** Calls `done` once the message is as safe as this limit makes it. */
export type Keep = (message: RelayedMessage, done: () => void) => void;

/**
 * The least that can be called a messenger: everybody is believed to be the number they give as their token, the group
 * number `n` is the people 1 to `n`, and a message goes out as an answer and as pushes, each frame made once.
 * Prints its port.
 */
export function serveRelay(keep: Keep): void {
  const sockets = new Map<number, WebSocket>();
  const wss = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, clientTracking: false });

  const send = (message: RelayedMessage, answerTo: WebSocket): void => {
    const { type, senderId, requestId } = message;
    const { content, receiverId, groupId, clientMessageId } = message.params;
    const item = { senderId, receiverId, groupId, message: content, clientMessageId };
    const frame = { type, success: true, params: { data: null, message: content, item, isBroadcast: true } };
    const push = JSON.stringify(frame);
    frame.params.isBroadcast = false;
    answerTo.send(JSON.stringify({ ...frame, requestId }));
    if (receiverId !== undefined) sockets.get(receiverId)?.send(push);
    for (let id = 1; id <= (groupId ?? 0); id++) if (id !== senderId) sockets.get(id)?.send(push);
  };

  wss.on("connection", (socket, request) => {
    const userId = Number(request.headers.authorization?.slice("Bearer ".length));
    sockets.set(userId, socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.get(userId) === socket && sockets.delete(userId));
    socket.on("message", (data) => {
      const message: RelayedMessage = { ...JSON.parse(String(data)), senderId: userId };
      keep(message, () => send(message, socket));
    });
  });
  wss.on("listening", () => {
    const address = wss.address();
    process.stdout.write(`port ${typeof address === "object" ? address?.port : address}\n`);
  });
}
