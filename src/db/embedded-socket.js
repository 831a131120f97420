import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:net";
import { PGLiteSocketHandler, PGLiteSocketServer } from "@electric-sql/pglite-socket";

// The socket of the embedded PostgreSQL. PGlite is one session for all connections: whatever a connection sets, prepares or
// leaves open affects every other one. So only connections that present the password of this start are admitted.

const protocolVersion = 196_608;
const sslRequest = 80_877_103;
const gssRequest = 80_877_104;
const cancelRequest = 80_877_102;
/** Larger than any startup or password message of ours. */
const maxMessageBytes = 10_000;
/** Time for a connection to present the password, in milliseconds. */
const handshakeTimeoutMs = 5000;
/** Many more than the server and the tools use at a time. */
const maxConnections = 64;

const passwordRequest = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/** @param {string} message */
function errorResponse(message) {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C28P01\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** @param {string} text */
const digest = (text) => createHash("sha256").update(text).digest();

/**
 * Reads the beginning of a connection, up to the password.
 * @param {import("node:net").Socket} socket
 * @param {string} password
 * @param {(startup: Buffer) => void} admit called with the startup message, for PGlite
 */
function authenticate(socket, password, admit) {
  let received = Buffer.alloc(0);
  /** @type {Buffer | undefined} */
  let startup;
  const timer = setTimeout(() => socket.destroy(), handshakeTimeoutMs);

  /** Takes a message of this many bytes from what was received; undefined if it is not complete. @param {number} length */
  function take(length) {
    if (length < 5 || length > maxMessageBytes) {
      socket.destroy();
      return undefined;
    }
    if (received.length < length) return undefined;
    const message = received.subarray(0, length);
    received = received.subarray(length);
    return message;
  }

  function readStartup() {
    if (received.length < 8) return;
    const message = take(received.readInt32BE(0));
    if (!message) return;
    const code = message.length >= 8 ? message.readInt32BE(4) : 0;
    if (code === sslRequest || code === gssRequest) {
      socket.write("N");
      readStartup();
    } else if (code === cancelRequest || code >> 16 !== protocolVersion >> 16) {
      // PGlite cannot cancel a statement.
      socket.destroy();
    } else {
      startup = message;
      socket.write(passwordRequest);
      readPassword();
    }
  }

  function readPassword() {
    if (received.length < 5) return;
    const message = take(received.readInt32BE(1) + 1);
    if (!message || !startup) return;
    const presented = message.subarray(5, -1).toString("utf8");
    finish();
    if (message[0] === 0x70 && timingSafeEqual(digest(presented), digest(password))) {
      if (received.length > 0) socket.unshift(received);
      admit(startup);
    } else {
      socket.end(errorResponse("the embedded database admits only the messenger that started it"));
    }
  }

  function finish() {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.pause();
  }

  /** @param {Buffer} chunk */
  function onData(chunk) {
    received = Buffer.concat([received, chunk]);
    if (startup) readPassword();
    else readStartup();
  }

  socket.on("data", onData);
  socket.once("close", () => clearTimeout(timer));
}

/**
 * Listens on a Unix socket for connections to the database.
 * @param {{ database: import("@electric-sql/pglite").PGlite, path: string, password: string }} options
 * @returns {Promise<() => Promise<void>>} a function that closes all connections and the socket
 */
export async function listen({ database, path, password }) {
  // Never started: only its queue is used, which runs the messages of all connections one after another.
  // biome-ignore lint/complexity/useLiteralKeys: TypeScript allows access to private fields with brackets only
  const queryQueue = new PGLiteSocketServer({ db: database, path })["queryQueue"];
  /** @type {Set<PGLiteSocketHandler>} */
  const handlers = new Set();
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    authenticate(socket, password, (startup) => {
      const handler = new PGLiteSocketHandler({ queryQueue, closeOnDetach: true });
      handlers.add(handler);
      // Not when the socket is closed: the handler uses the database once more after that.
      for (const end of ["close", "error"]) handler.addEventListener(end, () => handlers.delete(handler));
      socket.unshift(startup);
      void handler.attach(socket).then(() => socket.resume());
    });
  });
  server.maxConnections = maxConnections;
  await new Promise((resolve, reject) => {
    server.once("error", reject).listen(path, () => resolve(undefined));
  });

  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    await Promise.all([...handlers].map((handler) => handler.detach(true)));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
}
