import { type WebSocket, WebSocketServer } from "ws";

/** The two frames that send a message, the only ones a reference server understands. */
interface SendFrame {
  type: "privateMessage" | "messageInGroup";
  params: { receiverId?: number; groupId?: number; content: string; clientMessageId: string };
  requestId: number;
}

/** A message to store, if at all, before it is acknowledged and pushed. */
export interface RelayedMessage extends SendFrame {
  senderId: number;
}

/** Stores a message and then calls `done`. */
export type StoreMessage = (message: RelayedMessage, done: () => void) => void;

/**
 * A minimal messenger: the token is the user id, group `n` has the users 1 to `n` as members, and each message is sent as
 * a response and as pushes that are serialised once. Prints its port.
 */
export function serveRelay(store: StoreMessage): void {
  const sockets = new Map<number, WebSocket>();
  const wss = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, clientTracking: false });

  const send = (message: RelayedMessage, sender: WebSocket): void => {
    const { type, senderId, requestId } = message;
    const { content, receiverId, groupId, clientMessageId } = message.params;
    const item = { senderId, receiverId, groupId, message: content, clientMessageId };
    const frame = { type, success: true, params: { data: null, message: content, item, isBroadcast: true } };
    const push = JSON.stringify(frame);
    frame.params.isBroadcast = false;
    sender.send(JSON.stringify({ ...frame, requestId }));
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
      store(message, () => send(message, socket));
    });
  });
  wss.on("listening", () => {
    const address = wss.address();
    process.stdout.write(`port ${typeof address === "object" ? address?.port : address}\n`);
  });
}
