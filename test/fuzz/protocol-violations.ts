import type { AnyMessageType } from "../../src/ws/message-type.ts";
import type { Random } from "../chaos/random.ts";
import { closePayload, opcodes, wireFrame } from "../support/raw-socket.ts";
import { validJson } from "./json-text.ts";

/** A violation of the WebSocket protocol, and the close codes expected for it; none if the client ends the connection. */
export interface ProtocolViolation {
  codes: readonly number[];
  bytes: (random: Random, messageType: AnyMessageType) => Buffer;
}

const randomBytes = (random: Random, min: number, max: number): Buffer =>
  Buffer.from(Array.from({ length: random.between(min, max) }, () => random.between(0, 255)));

/** One message in the given fragments. */
const fragmented = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat(
    parts.map((part, index) =>
      wireFrame(part, { opcode: index === 0 ? opcodes.text : opcodes.continuation, fin: index === parts.length - 1 }),
    ),
  );

const controlOpcode = (random: Random): number =>
  random.pick([opcodes.close, opcodes.ping, opcodes.pong]) ?? opcodes.ping;

const overlongUtf8 = [
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xe0, 0x80, 0xaf],
  [0xf0, 0x80, 0x80, 0xaf],
];
const invalidUtf8 = [
  [0xff],
  [0xc3, 0x28],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
];

const pickBytes = (random: Random, choices: readonly number[][]) => Buffer.from(random.pick(choices) ?? []);

/** Protocol violations, by kind. */
export const protocolViolations: Record<string, ProtocolViolation> = {
  "invalid UTF-8": {
    codes: [1007],
    bytes: (random, { type }) =>
      wireFrame(Buffer.concat([Buffer.from(`{"type":"${type}`), pickBytes(random, invalidUtf8)])),
  },
  "overlong UTF-8": { codes: [1007], bytes: (random) => wireFrame(pickBytes(random, overlongUtf8)) },
  "a UTF-8 character cut off by the end of the message": {
    codes: [1007],
    bytes: () => fragmented(Buffer.from([0xe2, 0x82]), "x"),
  },
  "a binary frame": {
    codes: [1003],
    bytes: (random) => wireFrame(randomBytes(random, 0, 2000), { opcode: opcodes.binary }),
  },
  "reserved bits": { codes: [1002], bytes: (random) => wireFrame("{}", { rsv: random.between(1, 7) }) },
  "a reserved opcode": {
    codes: [1002],
    bytes: (random) => wireFrame("{}", { opcode: random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) ?? 3 }),
  },
  "an unmasked frame": {
    codes: [1002],
    bytes: (_random, messageType) => wireFrame(validJson(messageType), { masked: false }),
  },
  "a control frame that is too long": {
    codes: [1002],
    bytes: (random) => wireFrame("x".repeat(random.between(126, 300)), { opcode: controlOpcode(random) }),
  },
  "a fragmented control frame": {
    codes: [1002],
    bytes: (random) => wireFrame("x", { opcode: controlOpcode(random), fin: false }),
  },
  "a continuation frame without a message": {
    codes: [1002],
    bytes: () => wireFrame("{}", { opcode: opcodes.continuation }),
  },
  "a new message during a fragmented message": {
    codes: [1002],
    bytes: () => Buffer.concat([wireFrame("{", { fin: false }), wireFrame("{}")]),
  },
  "a close frame with a one-byte payload": { codes: [1002], bytes: () => wireFrame("x", { opcode: opcodes.close }) },
  "a close frame with an invalid code": {
    codes: [1002],
    bytes: (random) => {
      const code = random.pick([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]) ?? 0;
      return wireFrame(closePayload(code), { opcode: opcodes.close });
    },
  },
  "a close frame with an invalid UTF-8 reason": {
    codes: [1007],
    bytes: (random) => wireFrame(closePayload(1000, pickBytes(random, invalidUtf8)), { opcode: opcodes.close }),
  },
  "too many fragments": {
    codes: [1008],
    bytes: (random) => fragmented("{", ...Array.from({ length: random.between(64, 200) }, () => " ")),
  },
  "a frame that is too large": {
    codes: [1009],
    bytes: (random) => wireFrame(" ".repeat(random.between(32_769, 100_000))),
  },
  "a frame header with a huge length": {
    codes: [1009],
    bytes: (random) => wireFrame("{", { length: random.pick([2n ** 31n, 2n ** 40n, 2n ** 53n, 2n ** 63n]) ?? 0n }),
  },
  "a fragmented message that is too large": {
    codes: [1009],
    bytes: () => fragmented(" ".repeat(20_000), " ".repeat(20_000)),
  },
  "a connection reset in the middle of a frame": {
    codes: [],
    bytes: (random, messageType) => {
      const whole = wireFrame(validJson(messageType));
      return whole.subarray(0, random.between(1, whole.length - 1));
    },
  },
};
