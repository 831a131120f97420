import type { AnyMessageType } from "../../src/ws/message-type.ts";
import { registry } from "../../src/ws/registry.ts";
import { Random } from "../chaos/random.ts";
import type { Account } from "../support/accounts.ts";
import { RawSocket, wireFrame } from "../support/raw-socket.ts";
import { type BadFrameMaker, badFrames } from "./bad-frames.ts";
import { type ProtocolViolation, protocolViolations } from "./protocol-violations.ts";

/** Below the number of malformed frames in a row for which the server disconnects a client. */
const badFramesPerSocket = 14;
/** The close code for too many malformed frames within ten seconds, which is no fault. */
const malformedFramesCode = 4400;

/** The frames sent, and their outcomes. */
export interface FuzzReport {
  frames: number;
  sockets: number;
  byKind: Record<string, number>;
  byError: Record<string, number>;
  byCloseCode: Record<string, number>;
  /** Deviations from the expected behaviour. */
  faults: string[];
}

interface SentFrame {
  kind: string;
  type: string;
  mayBeValid: boolean;
}

const increment = (counts: Record<string, number>, key: string | number): void => {
  counts[key] = (counts[key] ?? 0) + 1;
};

/** Picks the choices in turn. */
const pickByTurn = <T>(choices: readonly T[], turn: number): T => {
  const choice = choices[turn % choices.length];
  if (choice === undefined) throw new Error("no choices");
  return choice;
};

const types = [...registry.values()];
const frameMakers = Object.entries(badFrames);
const violationKinds = Object.entries(protocolViolations);

/**
 * Sends bad frames of every kind for every message type over raw sockets. Each socket ends with a protocol violation. The
 * input of the n-th socket depends on the seed and n only.
 */
export class Fuzzer {
  readonly report: FuzzReport = { frames: 0, sockets: 0, byKind: {}, byError: {}, byCloseCode: {}, faults: [] };

  constructor(
    private readonly port: number,
    private readonly seed: number,
  ) {}

  /** Sends at least `frames` frames with all accounts in parallel, going through all pairs of kind and message type. */
  async run(accounts: readonly Account[], frames: number): Promise<void> {
    const sockets = Math.ceil(frames / (badFramesPerSocket + 1));
    let next = 0;
    const fuzz = async (account: Account) => {
      while (next < sockets) await this.useSocket(account, next++);
    };
    await Promise.all(accounts.map(fuzz));
  }

  private async useSocket({ token }: Account, number: number): Promise<void> {
    const random = new Random(this.seed * 1_000_003 + number);
    const socket = await RawSocket.open(this.port, token);
    this.report.sockets++;
    const sent: SentFrame[] = [];
    for (let turn = number * badFramesPerSocket; sent.length < badFramesPerSocket; turn++) {
      const messageType = pickByTurn(types, Math.floor(turn / frameMakers.length));
      sent.push(this.sendBadFrame(socket, random, pickByTurn(frameMakers, turn), messageType));
    }
    // A valid frame at the end. Its response comes after all others.
    socket.write(wireFrame('{"type":"listLastMessage","params":{"limit":1,"page":1},"requestId":"last"}'));
    const last = await socket.waitForText((text) => text.includes('"requestId":"last"'));
    this.checkResponses(socket, sent, last);
    await this.violateProtocol(socket, random, pickByTurn(violationKinds, number), pickByTurn(types, number));
  }

  private sendBadFrame(
    socket: RawSocket,
    random: Random,
    [kind, makeFrame]: [string, BadFrameMaker],
    messageType: AnyMessageType,
  ): SentFrame {
    const { bytes, mayBeValid = false } = makeFrame(random, messageType);
    increment(this.report.byKind, kind);
    this.report.frames++;
    socket.write(bytes);
    return { kind, type: messageType.type, mayBeValid };
  }

  private async violateProtocol(
    socket: RawSocket,
    random: Random,
    [kind, { codes, bytes }]: [string, ProtocolViolation],
    messageType: AnyMessageType,
  ): Promise<void> {
    const { report } = this;
    increment(report.byKind, kind);
    report.frames++;
    socket.write(bytes(random, messageType));
    if (codes.length === 0) return socket.reset();
    const code = await socket.closed;
    increment(report.byCloseCode, code ?? "none");
    if (code === undefined || ![...codes, malformedFramesCode].includes(code)) {
      report.faults.push(`${kind}: closed with ${code} instead of ${codes.join()}`);
    }
  }

  /** Checks that each frame got exactly one response, an error unless the frame may be valid. */
  private checkResponses(socket: RawSocket, sent: readonly SentFrame[], last: string | undefined): void {
    const { faults, byError } = this.report;
    const end = last === undefined ? socket.texts.length : socket.texts.indexOf(last);
    const responses = socket.texts.slice(0, end).map((text) => JSON.parse(text));
    const replies = responses.filter(({ params }) => !params?.isBroadcast);
    if (last !== undefined ? replies.length !== sent.length : replies.length > sent.length) {
      faults.push(`${replies.length} responses to ${sent.length} frames: ${sent.map(({ kind }) => kind).join(", ")}`);
    }
    for (const [index, response] of replies.entries()) {
      const frame = sent[index];
      increment(byError, response.code ?? "none");
      const isServerFault = response.code === "INTERNAL" || response.code === "UNAVAILABLE";
      if (isServerFault || (!response.error && !frame?.mayBeValid)) {
        faults.push(`${frame?.kind} of ${frame?.type}: responded ${JSON.stringify(response).slice(0, 300)}`);
      }
    }
  }
}
