import type { AnyMessageType } from "../../src/ws/message-type.ts";
import { registry } from "../../src/ws/registry.ts";
import { Random } from "../chaos/random.ts";
import { RawSocket, wireFrame } from "../support/raw-socket.ts";
import { type BadFrame, badFrames, type Breach, breaches } from "./bad-input.ts";

/** So few in a row that a client is not yet cut off for sending nothing that can be read. */
const badFramesPerSocket = 14;
/** Twenty malformed frames in ten seconds: no fault of the server, should it come to that. */
const brokenClient = 4400;

/** Someone with an account. */
export interface Account {
  id: number;
  token: string;
}

/** What was sent and what came of it. */
export interface FuzzReport {
  frames: number;
  sockets: number;
  byKind: Record<string, number>;
  byError: Record<string, number>;
  byCloseCode: Record<string, number>;
  /** What should not have happened. */
  faults: string[];
}

interface Sent {
  kind: string;
  type: string;
  mayBeRight: boolean;
}

const count = (counts: Record<string, number>, key: string | number): void => {
  counts[key] = (counts[key] ?? 0) + 1;
};

/** The one whose turn it is. */
const takeTurn = <T>(choices: readonly T[], turn: number): T => {
  const choice = choices[turn % choices.length];
  if (choice === undefined) throw new Error("nothing to choose from");
  return choice;
};

const types = [...registry.values()];
const frameKinds = Object.entries(badFrames);
const breachKinds = Object.entries(breaches);

/**
 * Sends bad frames of every kind for every message type, over raw sockets: some frames on each, then a breach of the
 * protocol. What goes over the n-th socket follows from the seed and n alone.
 */
export class Fuzzer {
  readonly report: FuzzReport = { frames: 0, sockets: 0, byKind: {}, byError: {}, byCloseCode: {}, faults: [] };

  constructor(
    private readonly port: number,
    private readonly seed: number,
  ) {}

  /** Sends at least so many frames, as several people at the same time. Each kind meets each type in its turn. */
  async run(accounts: readonly Account[], frames: number): Promise<void> {
    const sockets = Math.ceil(frames / (badFramesPerSocket + 1));
    let next = 0;
    const work = async (account: Account) => {
      while (next < sockets) await this.useSocket(account, next++);
    };
    await Promise.all(accounts.map(work));
  }

  private async useSocket({ token }: Account, number: number): Promise<void> {
    const random = new Random(this.seed * 1_000_003 + number);
    const socket = await RawSocket.open(this.port, token);
    this.report.sockets++;
    const sent: Sent[] = [];
    for (let turn = number * badFramesPerSocket; sent.length < badFramesPerSocket; turn++) {
      const messageType = takeTurn(types, Math.floor(turn / frameKinds.length));
      sent.push(this.sendBadFrame(socket, random, takeTurn(frameKinds, turn), messageType));
    }
    // A proper frame behind them: its answer comes after theirs.
    socket.write(wireFrame('{"type":"listLastMessage","params":{"limit":1,"page":1},"requestId":"the end"}'));
    const last = await socket.waitForText((text) => text.includes('"requestId":"the end"'));
    this.judge(socket, sent, last);
    await this.breach(socket, random, takeTurn(breachKinds, number), takeTurn(types, number));
  }

  private sendBadFrame(
    socket: RawSocket,
    random: Random,
    [kind, makeFrame]: [string, BadFrame],
    messageType: AnyMessageType,
  ): Sent {
    const { bytes, mayBeRight = false } = makeFrame(random, messageType);
    count(this.report.byKind, kind);
    this.report.frames++;
    socket.write(bytes);
    return { kind, type: messageType.type, mayBeRight };
  }

  private async breach(
    socket: RawSocket,
    random: Random,
    [kind, { codes, bytes }]: [string, Breach],
    messageType: AnyMessageType,
  ): Promise<void> {
    const { report } = this;
    count(report.byKind, kind);
    report.frames++;
    socket.write(bytes(random, messageType));
    if (codes.length === 0) return socket.reset();
    const code = await socket.closed;
    count(report.byCloseCode, code ?? "none");
    if (code === undefined || ![...codes, brokenClient].includes(code)) {
      report.faults.push(`${kind}: closed with ${code} instead of ${codes.join()}`);
    }
  }

  /** Whether each frame was answered once, and with an error. */
  private judge(socket: RawSocket, sent: readonly Sent[], last: string | undefined): void {
    const { faults, byError } = this.report;
    const end = last === undefined ? socket.texts.length : socket.texts.indexOf(last);
    const answers = socket.texts.slice(0, end).map((text) => JSON.parse(text));
    const own = answers.filter(({ params }) => !params?.isBroadcast);
    if (last !== undefined ? own.length !== sent.length : own.length > sent.length) {
      faults.push(`${own.length} answers to ${sent.length} frames: ${sent.map(({ kind }) => kind).join(", ")}`);
    }
    for (const [index, answer] of own.entries()) {
      const frame = sent[index];
      count(byError, answer.code ?? "none");
      const isOurs = answer.code === "INTERNAL" || answer.code === "UNAVAILABLE";
      if (isOurs || (!answer.error && !frame?.mayBeRight)) {
        faults.push(`${frame?.kind} of ${frame?.type}: answered ${JSON.stringify(answer).slice(0, 300)}`);
      }
    }
  }
}
