import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Fetch } from "../../packages/client/src/http.ts";
import { file } from "../../packages/client/src/node.ts";
import { checkView, checkWritten } from "../../packages/client/test/support/check-views.ts";
import {
  RandomDevice,
  RandomLog,
  type RandomRun,
  type RandomUser,
  type WrittenMessage,
} from "../../packages/client/test/support/random-device.ts";
import {
  type DeviceView,
  failedMessages,
  readGroupDetails,
  readSettledViews,
  untilSent,
} from "../../packages/client/test/support/settled-views.ts";
import {
  Disk,
  isLive,
  type ProgramSettings,
  until,
  untilLive,
} from "../../packages/client/test/support/simulated-device.ts";
import { type FinalState, readFinalState } from "./final-state.ts";
import { sendRequest } from "./http-requests.ts";
import type { Log, ViolationKind } from "./log.ts";
import type { Random } from "./random.ts";
import { digestOf, inTwoParts } from "./uploads.ts";

/** Stands for all processes: each connection and request goes to one of them, as behind a load balancer. */
const address = "127.0.0.1:1";
/** Of each chat, the newest messages are compared with the database in the end, and some in its middle. */
const comparedMessages = 200;
/** Requests that were begun may take so long until they are answered or fail. */
const maxRequestMs = 30_000;

/** Logs what SDK clients do, and reports what is wrong to the log of the run. */
class SdkLog extends RandomLog {
  private readonly deletions: { device: string; messageId: number }[] = [];

  constructor(private readonly runLog: Log) {
    super();
  }

  override report(details: string, kind: ViolationKind = "incomplete"): void {
    this.runLog.reportViolation(kind, `SDK: ${details}`);
  }

  override noteDeletion(device: string, messageId: number): void {
    this.deletions.push({ device, messageId });
    this.runLog.requestedRevisions.add(device, { messageId, content: "", isDeletion: true });
  }

  /** The deletions are repeated until they are answered, also after a restore. */
  noteDeletionsAgain(): void {
    for (const { device, messageId } of this.deletions.splice(0)) this.noteDeletion(device, messageId);
  }
}

/** Clients with the SDK: devices of some of the users, beside their other devices. */
export class SdkDevices {
  private readonly devices: RandomDevice[];
  private readonly runLog: Log;
  private readonly log: SdkLog;
  private readonly run: RandomRun;
  private readonly actions = new Set<Promise<void>>();
  private views: DeviceView[] = [];
  private storedCount = 0;
  private failed: ReadonlyMap<string, string> = new Map();
  /** What was known to be sent when the backup was taken. */
  private sentBeforeBackup: readonly WrittenMessage[] = [];
  /** What the database contained when it was replaced by a backup. */
  private storedBeforeRestore: ReadonlySet<string | null> = new Set();
  private readonly reportUnhandled = (error: unknown) =>
    this.log.report(`unhandled: ${(error as Error)?.stack ?? error}`, "unhandled");

  /** @param options.count the number of users with such devices; every other one has two */
  constructor(options: {
    users: readonly RandomUser[];
    count: number;
    ports: readonly number[];
    folder: string;
    log: Log;
    random: Random;
    createMessenger?: ProgramSettings["createMessenger"];
  }) {
    const { users, count, ports, folder, random, createMessenger } = options;
    this.runLog = options.log;
    this.log = new SdkLog(options.log);
    this.run = {
      users,
      log: this.log,
      url: `http://${address}`,
      route: (url) => url.replace(address, `127.0.0.1:${random.pick(ports)}`),
      ...(createMessenger && { createMessenger }),
    };
    this.devices = users.slice(0, count).flatMap((user, index) =>
      (index % 2 === 0 ? ["s1", "s2"] : ["s1"]).map((device) => {
        const name = `p${index}${device}`;
        // A store in a file does not keep contents: messages whose files a restart interrupts fail with `FILE_LOST`.
        const disk = device === "s1" ? new Disk() : new Disk(file(join(folder, name)));
        const run = { ...this.run, fetch: this.fetchOf(user.id, random.fork()) };
        return new RandomDevice(name, user, disk, random.fork(), run);
      }),
    );
    process.on("unhandledRejection", this.reportUnhandled);
  }

  /** Uploads in two parts, and logs the uploads that are acknowledged. Other requests are made as usual. */
  private fetchOf(ownerId: number, random: Random): Fetch {
    return async (url, options) => {
      const { port, pathname: path } = new URL(url);
      const [, id] = path.match(/^\/files\/([^/]+)\/content$/) ?? [];
      if (id === undefined || !(options.body instanceof Blob)) return fetch(url, options);
      const content = Buffer.from(await options.body.arrayBuffer());
      const token = options.headers.Authorization?.replace("Bearer ", "") ?? "";
      const body = inTwoParts(content, random);
      const answer = await sendRequest({ port: Number(port), token }, { method: "PUT", path, ...body });
      if (!answer) throw new Error("the connection was lost");
      // Whether its message is sent is not known here: the file may be deleted with it.
      if (answer.status === 200) this.runLog.uploads.set(id, { id, ownerId, sha256: digestOf(content), isSent: true });
      return new Response(String(answer.body), { status: answer.status });
    };
  }

  /** What the devices did, for the summary of the run. */
  get counts(): Record<string, number> {
    const { written, counts } = this.log;
    const undone = written.filter(({ isUndone }) => isUndone).length;
    const rejections = Object.entries(counts).filter(([name]) => name.startsWith("rejected"));
    const rejected = rejections.reduce((sum, [, number]) => sum + number, 0);
    const others = Object.fromEntries(Object.entries(counts).filter(([name]) => !name.startsWith("rejected")));
    const views = this.views.reduce((sum, one) => sum + one.views.length, 0);
    return {
      devices: this.devices.length,
      written: written.length,
      stored: this.storedCount,
      undone,
      failed: this.failed.size,
      rejected,
      ...others,
      comparedChats: views,
    };
  }

  async login(): Promise<void> {
    for (const device of this.devices) await device.login();
    await Promise.all(this.devices.map(({ messenger }) => untilLive(messenger)));
    await this.devices[0]?.createGroup();
  }

  /** All devices do random things until the signal is aborted. */
  async runActions(run: { signal: AbortSignal; isIdle: boolean }): Promise<void> {
    const act = async (device: RandomDevice) => {
      while (!run.signal.aborted) {
        await wait(device.random.between(0, 100));
        if (run.isIdle) continue;
        const action = device.act();
        this.actions.add(action);
        void action.finally(() => this.actions.delete(action));
        // Requests wait for a lost connection to come back.
        await Promise.race([action, wait(500)]);
      }
    };
    await Promise.all(this.devices.map(act));
    await Promise.race([Promise.all(this.actions), wait(maxRequestMs, undefined, { ref: false })]);
  }

  disconnectSome(random: Random): void {
    for (const device of this.devices) if (random.chance(0.3)) device.disconnect();
  }

  stallSome(random: Random): void {
    for (const device of this.devices) if (random.chance(0.3)) device.stall(random.between(200, 2000));
  }

  /** Waits until everything is sent or refused, and reports what is not. */
  async sendAll(): Promise<void> {
    for (const device of this.devices) {
      device.closeTimelines();
      await device.stayLoggedIn().catch((error) => this.log.report(`${device.name}: ${error}`, "late"));
    }
    await this.untilAllLive();
    for (const entry of await untilSent(this.devices)) this.log.report(`not sent: ${JSON.stringify(entry)}`, "late");
  }

  /** Reads what all devices show, when nothing changes any more. */
  async readViews(): Promise<void> {
    // Pushes of read positions are best-effort between processes, and only the next sync contains those that were lost.
    if (!this.runLog.readStatePushesReliable) await this.reconnectAll();
    this.views = await readSettledViews(this.devices, this.run, comparedMessages).catch((error) => {
      this.log.report(`the views cannot be read: ${error}`, "late");
      return [];
    });
    this.failed = await failedMessages(this.devices);
  }

  private async reconnectAll(): Promise<void> {
    const closed = this.devices.map(({ messenger }) => until(messenger.connection, (status) => !isLive(status)));
    for (const device of this.devices) device.disconnect();
    await Promise.all(closed);
    await this.untilAllLive();
  }

  private async untilAllLive(): Promise<void> {
    const live = this.devices.map(({ name, messenger }) =>
      untilLive(messenger, 40_000).catch((error) => this.log.report(`${name} does not get live: ${error}`, "late")),
    );
    await Promise.all(live);
  }

  /** Compares everything that was written and is shown with the database. */
  async checkDatabase(url: string): Promise<void> {
    const finalState = await readFinalState(url);
    const details = await readGroupDetails(url);
    const stored = new Set(finalState.rows.map(({ clientMessageId }) => clientMessageId));
    this.storedCount = this.log.written.filter(({ clientMessageId }) => stored.has(clientMessageId)).length;
    checkWritten(finalState, this.log, this.failed);
    for (const view of this.views) checkView(finalState, details, view, this.log);
  }

  /** What is known to be sent. */
  sent(): WrittenMessage[] {
    return this.log.written.filter(({ outcome, isUndone }) => outcome === "sent" && !isUndone);
  }

  /** Reports messages that were sent and are not stored. */
  checkSent({ rows }: Pick<FinalState, "rows">, sent: readonly WrittenMessage[]): void {
    const stored = new Set(rows.map(({ clientMessageId }) => clientMessageId));
    for (const { text, clientMessageId } of sent) {
      if (!stored.has(clientMessageId)) this.log.report(`"${text}" was sent and is not stored`, "lost");
    }
  }

  noteBackup(): void {
    this.sentBeforeBackup = this.sent();
  }

  /** The server has stopped, and its database is about to be replaced by a backup. */
  async endHistory(url: string): Promise<void> {
    const { rows } = await readFinalState(url);
    this.checkSent({ rows }, this.sent());
    this.storedBeforeRestore = new Set(rows.map(({ clientMessageId }) => clientMessageId));
  }

  /** What was sent before the backup was taken is in it. What else it does not contain is undone. */
  async startHistory(url: string): Promise<void> {
    const { rows } = await readFinalState(url);
    this.checkSent({ rows }, this.sentBeforeBackup);
    const restored = new Set(rows.map(({ clientMessageId }) => clientMessageId));
    for (const written of this.log.written) {
      const { clientMessageId } = written;
      if (this.storedBeforeRestore.has(clientMessageId) && !restored.has(clientMessageId)) written.isUndone = true;
    }
    this.log.noteDeletionsAgain();
  }

  end(): void {
    for (const device of this.devices) device.kill();
    process.off("unhandledRejection", this.reportUnhandled);
  }
}
