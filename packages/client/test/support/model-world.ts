import type {
  Chat,
  ChatSettings,
  Draft,
  MentionedPeople,
  Messenger,
  OutgoingMessage,
  Timeline,
} from "../../src/index.ts";
import { ModelDisk, ModelProgram } from "./model-program.ts";
import { type Fault, ModelServer, mentionsOf, pinnedOf } from "./model-server.ts";
import { settled, VirtualTime } from "./virtual-time.ts";

type Sdk = typeof import("../../src/index.ts");

/** What may happen. `n` and `m` choose among what there is at that moment. */
export type Action = { p: number; n: number; m: number } & (
  | {
      do:
        | "send"
        | "sendMany"
        | "forward"
        | "edit"
        | "delete"
        | "react"
        | "pin"
        | "markRead"
        | "clear"
        | "typing"
        | "settings"
        | "draft"
        | "preferences";
    }
  | { do: "open" | "older" | "newer" | "closeTimeline" }
  | { do: "createGroup" | "add" | "leave" | "remove" | "rename" }
  | { do: "retry" | "discard" | "logout" | "login" }
  | { do: "kill" | "restart" | "lose" | "stall" | "closeCode" | "refuse" | "revoke" }
  | { do: "prune" | "backUp" | "restore" | "renameUser" | "pushUnknown" | "newer server" | "slow" | "fast" }
  | { do: "fault" | "httpFault" | "advance" | "advanceLong" | "clock" }
);
export type ActionName = Action["do"];

const faults: readonly Fault[] = [
  "lostRequest",
  "lostAnswer",
  "answerTwice",
  "lateAnswer",
  "unavailable",
  "unavailableDone",
  "rateLimited",
  "internal",
  "unknownCode",
];
const httpFaults = ["lostRequest", "lostAnswer", "unavailable", "rateLimited"] as const;
const codes = [1006, 1011, 1012, 1013, 4401, 4408, 4409, 4429];
const emoji = ["👍", "🎉"];
const names = ["Ann", "Bob", "Cem", "Dora", "Eve"];

/** A program's place: after a kill another one takes it. */
interface Slot {
  disk: ModelDisk;
  homeUser: number;
  program: ModelProgram | undefined;
}

/** A message that a user has written. */
interface Written {
  slot: Slot;
  userId: number;
  chat: string;
  clientMessageId: string;
  isStored: boolean;
}

interface Open {
  program: ModelProgram;
  chat: Chat;
  timeline: Timeline;
}

/** Users with devices, some with two tabs, and a server; and what must hold for them. */
export class ModelWorld {
  readonly time: VirtualTime;
  readonly server: ModelServer;
  readonly violations: string[] = [];
  private readonly slots: Slot[] = [];
  private readonly written: Written[] = [];
  private readonly discarded = new Set<string>();
  private open: Open[] = [];
  private count = 0;
  private sdkCount = 0;

  /** @param sdks copies of the client, as separate programs have them */
  constructor(
    private readonly sdks: readonly Sdk[],
    seed: number,
    startAt: number,
  ) {
    this.time = new VirtualTime(seed, startAt);
    this.server = new ModelServer(this.time);
    this.time.install();
  }

  async start(): Promise<void> {
    const { server } = this;
    for (const id of [1, 2, 3]) server.addUser(id, names[id - 1] ?? "");
    server.fill([1, 2], 130);
    server.fill([1, 2, 3], 15);
    server.backUp();
    const disks = [1, 1, 2, 3].map((homeUser) => ({ homeUser, disk: new ModelDisk(this.time) }));
    for (const index of [0, 0, 1, 2, 3])
      this.slots.push({ program: undefined, ...(disks[index] as (typeof disks)[0]) });
    for (const slot of this.slots) {
      this.startProgram(slot);
      const loggedIn = this.logIn(slot, slot.homeUser);
      await this.advance(500);
      await loggedIn;
    }
  }

  stop(): void {
    for (const { program } of this.slots) program?.kill();
    this.time.uninstall();
  }

  async run(action: Action): Promise<void> {
    const slot = this.slots[action.p % this.slots.length] as Slot;
    const { program } = slot;
    if (action.do === "restart" && !program) this.resume(slot);
    else if (action.do === "kill" && program) {
      program.kill();
      slot.program = undefined;
      this.forgetTimelines(program);
    } else if (!this.runInWorld(action) && program) {
      try {
        program.run((messenger) => this.runInProgram(slot, program, messenger, action));
      } catch (error) {
        if (codeOf(error) !== "LOGGED_OUT") throw error;
      }
    }
    await settled();
    this.checkViews();
  }

  /** Ends all faults, and checks what must hold then. */
  async finish(): Promise<void> {
    const { server } = this;
    server.faults = [];
    server.httpFaults = [];
    server.refusedUpgrades = 0;
    server.latencyMs = [1, 20];
    for (const slot of this.slots) if (!slot.program) this.resume(slot);
    await this.advance(60_000);
    // What was written under another log-in of a device is sent when that user is back.
    for (const slot of this.slots) {
      const guests = this.written.filter(
        ({ slot: { disk }, userId }) => disk === slot.disk && userId !== slot.homeUser,
      );
      for (const userId of new Set(guests.map((one) => one.userId))) await this.becomeLive(slot, userId);
    }
    for (const slot of this.slots) await this.becomeLive(slot, slot.homeUser);
    await this.advance(60_000);
    for (const slot of this.slots) {
      const state = slot.program?.messenger.connection.value.state;
      this.check(state === "live", `a program is ${state} at the end`);
      const userId = slot.program?.messenger.user.value?.id;
      this.check(userId === slot.homeUser, `a program of user ${slot.homeUser} is that of ${userId}`);
    }
    this.checkViews();
    await this.checkEnd();
    await this.checkExit();
  }

  async advance(ms: number): Promise<void> {
    await this.time.advance(ms);
    this.checkViews();
  }

  /** @returns whether the action belongs to the world, and not to a program */
  private runInWorld({ do: name, p, n, m }: Action): boolean {
    const { server } = this;
    if (name === "backUp") server.backUp();
    else if (name === "prune") server.pruneState(1 + (n % 3));
    else if (name === "restore") server.restore();
    else if (name === "renameUser") server.renameUser(1 + (n % 3), names[m % names.length] ?? "");
    else if (name === "pushUnknown") server.pushUnknown();
    else if (name === "newer server") server.isNewer = !server.isNewer;
    else if (name === "slow") server.latencyMs = [1, 3000];
    else if (name === "fast") server.latencyMs = [1, 20];
    else if (name === "fault") server.faults.push(faults[n % faults.length] ?? "internal");
    else if (name === "httpFault") server.httpFaults.push(httpFaults[n % httpFaults.length] ?? "unavailable");
    else if (name === "refuse") server.refusedUpgrades += 1 + (n % 3);
    else if (name === "revoke") server.revoke(1 + (n % 3));
    else if (name === "closeCode")
      server.closeAll(codes[n % codes.length] ?? 1006, m % 2 === 0 ? undefined : 1 + (p % 3));
    else if (name === "clock") this.time.clock += (n % 2 === 0 ? -1 : 1) * (m % 5) * 1_000_000;
    else return false;
    return true;
  }

  private runInProgram(slot: Slot, program: ModelProgram, messenger: Messenger, { do: name, n, m }: Action): void {
    const ignore = (promise: Promise<unknown>) => void promise.catch((error) => this.noteRejection(name, error));
    if (name === "logout") ignore(this.logOut(slot, messenger, m % 2 === 0));
    if (name === "login") ignore(this.logIn(slot, n % 4 === 0 ? 1 + (m % 3) : slot.homeUser));
    if (name === "logout" || name === "login") return;
    const chats = messenger.chats.value;
    const choices = [...[1, 2, 3].map((id) => messenger.dialogWith(id)), ...groupsOf(messenger, chats)];
    const chat = choices[n % choices.length] as Chat;
    const group = groupsOf(messenger, chats)[n % 4];
    const mine = this.open.filter((one) => one.program === program);
    const opened = mine[n % Math.max(1, mine.length)];
    const items = opened?.timeline.value.messages ?? [];
    const item = items[m % Math.max(1, items.length)];
    const failed = mine.flatMap(({ timeline }) => timeline.value.messages.filter(({ state }) => state === "failed"));
    const userId = 1 + (m % 3);
    const mentioned = mentioning(userId, n + m);
    if (name === "send") this.send(slot, chat, mentioned, m % 3 === 0 ? item?.messageId : undefined);
    else if (name === "sendMany") for (let times = 2 + (m % 4); times > 0; times--) this.send(slot, chat, mentioned);
    else if (name === "forward" && item && item.messageId !== undefined && !item.event && !item.deletedAt)
      this.note(slot, chat, () => chat.forward(item));
    else if (name === "markRead") chat.markRead(m % 2 === 0 ? chat.summary.value.lastSeq - (m % 5) : undefined);
    else if (name === "typing") chat.typing();
    else if (name === "settings") ignore(changeSettings(chat, m));
    else if (name === "draft") ignore(chat.setDraft(m % 3 === 0 ? "" : `draft ${++this.count}`));
    else if (name === "preferences") ignore(messenger.setPreferences({ [`field${n % 3}`]: m % 3 === 0 ? null : m }));
    else if (name === "clear" && chat.peerId !== undefined) ignore(chat.clear());
    else if (name === "open" && mine.length < 4) this.openTimeline(program, chat, m);
    else if (name === "older" && opened) ignore(opened.timeline.loadOlder());
    else if (name === "newer" && opened) ignore(opened.timeline.loadNewer());
    else if (name === "closeTimeline" && opened) {
      opened.timeline.close();
      this.open = this.open.filter((one) => one !== opened);
    } else if (name === "edit" && opened && item?.messageId !== undefined)
      ignore(opened.chat.edit(item.messageId, `edit ${++this.count}`, mentioned));
    else if (name === "delete" && opened && item?.messageId !== undefined) ignore(opened.chat.delete(item.messageId));
    else if (name === "react" && opened && item?.messageId !== undefined)
      ignore(opened.chat.react(item.messageId, emoji[n % emoji.length] ?? "", m % 3 > 0));
    else if (name === "pin" && opened && item?.messageId !== undefined)
      ignore(opened.chat.pin(item.messageId, n % 3 > 0));
    else if (name === "createGroup")
      ignore(
        messenger.createGroup({
          name: `g${++this.count}`,
          userIds: [userId].filter((id) => id !== messenger.user.value?.id),
        }),
      );
    else if (name === "add" && group) ignore(group.add(userId));
    else if (name === "remove" && group) ignore(group.remove(userId));
    else if (name === "rename" && group) ignore(group.rename(`r${++this.count}`));
    else if (name === "leave" && group) ignore(group.leave());
    else if (name === "retry") failed[n % Math.max(1, failed.length)]?.retry?.();
    else if (name === "discard") {
      const message = failed[n % Math.max(1, failed.length)];
      if (message?.clientMessageId !== undefined) this.discarded.add(message.clientMessageId);
      message?.discard?.();
    }
  }

  private send(slot: Slot, chat: Chat, mentioned: MentionedPeople, replyTo?: number): void {
    const options = { ...mentioned, ...(replyTo !== undefined && { replyTo }) };
    this.note(slot, chat, () => chat.send(`${++this.count}`, options));
  }

  /** Notes a message that the user of a program writes. */
  private note(slot: Slot, chat: Chat, write: () => OutgoingMessage): void {
    const userId = slot.program?.messenger.user.value?.id;
    if (userId === undefined) return;
    const message = write();
    const { clientMessageId } = message;
    const lane = chat.peerId === undefined ? `group ${chat.id}` : `user ${chat.peerId}`;
    const written: Written = { slot, userId, chat: lane, clientMessageId, isStored: false };
    this.written.push(written);
    message.stored.then(
      () => {
        written.isStored = true;
      },
      () => {},
    );
  }

  private openTimeline(program: ModelProgram, chat: Chat, m: number): void {
    const at = m % 3 === 0 ? "newest" : m % 3 === 1 ? "unread" : { seq: m % 200 };
    const timeline = chat.timeline({ at });
    const opened = { program, chat, timeline };
    this.open.push(opened);
    timeline.subscribe(() => this.checkView(opened));
    // Kept up to date from now on.
    chat.pinned.subscribe(() => {});
  }

  private forgetTimelines(program: ModelProgram | undefined): void {
    this.open = this.open.filter((one) => one.program !== program);
  }

  private startProgram(slot: Slot): ModelProgram {
    const sdk = this.sdks[this.sdkCount++ % this.sdks.length] as Sdk;
    const program = new ModelProgram(this.server, slot.disk, sdk);
    slot.program = program;
    let isListening = false;
    program.run((messenger) =>
      messenger.connection.subscribe(({ state, reason }) => {
        if (state === "loggedOut" || (state === "ended" && reason === "sessionEnded")) this.forgetTimelines(program);
        else if (!isListening && state === "connecting") {
          isListening = true;
          program
            .run(() => this.listen(messenger))
            .finally(() => {
              isListening = false;
            });
        }
      }),
    );
    return program;
  }

  /** Each change is reported once, in order. */
  private async listen(messenger: Messenger): Promise<void> {
    const versions = new Map<Chat, number>();
    for await (const { type, chat, message } of messenger.events()) {
      const last = versions.get(chat) ?? 0;
      if (!message) versions.delete(chat);
      else {
        const { version = 0 } = message;
        this.check(version > last, `event ${type} of chat ${chat.id} has version ${version} after ${last}`);
        versions.set(chat, version);
      }
    }
  }

  private resume(slot: Slot): void {
    const program = this.startProgram(slot);
    program.run((messenger) => void messenger.resume().catch((error) => this.noteRejection("resume", error)));
  }

  private async logIn(slot: Slot, userId: number): Promise<void> {
    const { program } = slot;
    await program?.run((messenger) => messenger.login({ email: String(userId), password: "" }));
    // What was open belonged to the log-in before.
    this.forgetTimelines(program);
  }

  private async logOut({ disk }: Slot, messenger: Messenger, discard: boolean): Promise<void> {
    const userId = messenger.user.value?.id;
    const noteDiscarded = () => {
      for (const one of this.written)
        if (one.userId === userId && one.slot.disk === disk) this.discarded.add(one.clientMessageId);
    };
    if (discard) noteDiscarded();
    await messenger.logout({ discard });
    // Also what other tabs have written until the store was read.
    if (discard) noteDiscarded();
  }

  private async becomeLive(slot: Slot, userId: number): Promise<void> {
    const messenger = slot.program?.messenger;
    const isUser = () => messenger?.user.value?.id === userId;
    slot.program?.run((one) => one.takeOver());
    for (let tries = 0; tries < 3; tries++) {
      if (isUser() && messenger?.connection.value.state === "live") break;
      const { state } = messenger?.connection.value ?? {};
      if (!isUser() || state === "loggedOut" || state === "ended") {
        const logIn = this.logIn(slot, userId);
        await this.advance(1000);
        await logIn;
      }
      await this.advance(40_000);
    }
    await this.advance(20_000);
  }

  private noteRejection(name: string, error: unknown): void {
    if (codeOf(error) === undefined) this.violations.push(`${name}: ${error instanceof Error ? error.stack : error}`);
  }

  private check(isRight: boolean, text: string): void {
    if (!isRight) this.violations.push(text);
  }

  private checkViews(): void {
    for (const opened of this.open) this.checkView(opened);
  }

  /** P2 and P3: no message twice, no hole, in order; what is not sent comes last. */
  private checkView({ chat, timeline }: Open): void {
    const { messages } = timeline.value;
    const sent = messages.filter(({ state }) => state === "sent");
    const withSeq = messages.filter(({ seq }) => seq !== undefined);
    const seqs = withSeq.map(({ seq }) => seq ?? 0);
    const keys = messages.map(({ key }) => key);
    const where = `timeline of ${chat.peerId === undefined ? "group" : "dialog"} ${chat.id}`;
    this.check(new Set(keys).size === keys.length, `${where} shows a message twice: ${keys}`);
    this.check(
      seqs.every((seq, index) => index === 0 || seq === (seqs[index - 1] ?? 0) + 1),
      `${where} has a hole: ${seqs}`,
    );
    this.check(sent.length >= withSeq.length, `${where}: unsent messages have a seq`);
    this.check(
      messages.findIndex(({ seq }) => seq === undefined) === (withSeq.length < messages.length ? withSeq.length : -1),
      `${where}: unsent are not last`,
    );
  }

  private async checkEnd(): Promise<void> {
    const { server } = this;
    const stored = new Map<string, { chat: number; seq: number }>();
    for (const { id, messages } of server.data.chats.values())
      for (const { clientMessageId, seq, senderId } of messages) {
        if (clientMessageId === undefined) continue;
        const key = `${senderId} ${clientMessageId}`;
        this.check(!stored.has(key), `P2: ${key} is stored twice`);
        stored.set(key, { chat: id, seq });
      }
    const shown = new Map<Slot, string[]>();
    for (const slot of this.slots) shown.set(slot, await this.checkProgram(slot));
    for (const one of this.written) {
      const { clientMessageId, userId, isStored, slot } = one;
      const isShown = shown.get(slot)?.includes(clientMessageId) || slot.homeUser !== userId;
      const isKnown = stored.has(`${userId} ${clientMessageId}`) || isShown || server.lost.has(clientMessageId);
      this.check(
        !isStored || isKnown || this.discarded.has(clientMessageId),
        `P1: ${clientMessageId} of user ${userId} is lost`,
      );
    }
    const last = new Map<string, { chat: number; seq: number }>();
    for (const { slot, userId, chat, clientMessageId } of this.written) {
      const found = stored.get(`${userId} ${clientMessageId}`);
      if (!found || server.refused.has(clientMessageId)) continue;
      const key = `${this.slots.indexOf(slot)} ${userId} ${chat}`;
      const before = last.get(key);
      this.check(
        !before || before.chat !== found.chat || before.seq < found.seq,
        `P5: ${clientMessageId} in ${key} is out of order`,
      );
      last.set(key, found);
    }
    for (const [index, slot] of this.slots.entries())
      for (const other of this.slots.slice(index + 1)) {
        const [a, b] = [JSON.stringify(shown.get(slot)), JSON.stringify(shown.get(other))];
        this.check(slot.disk !== other.disk || a === b, `P6: two tabs show other unsent messages: ${a} and ${b}`);
      }
  }

  /** P4: the view equals a fresh read. @returns the messages that are shown as not sent */
  private async checkProgram(slot: Slot): Promise<string[]> {
    const { program, homeUser } = slot;
    if (!program) return [];
    const { messenger } = program;
    const who = `P4: program ${this.slots.indexOf(slot)} of user ${homeUser}`;
    const chats = messenger.chats.value;
    const unsent: string[] = [];
    const expected = this.server
      .chatsOf(homeUser)
      .filter(({ pair, messages, members }) => !pair || messages.length > (members.get(homeUser)?.clearedSeq ?? 0));
    const shownIds = chats.filter(({ lastMessage }) => lastMessage?.state !== "failed").map(({ id }) => id);
    for (const id of shownIds)
      this.check(
        expected.some((chat) => chat.id === id),
        `${who} shows chat ${id}`,
      );
    for (const { id, lastMessage } of chats)
      if (lastMessage?.state === "queued" || lastMessage?.state === "sending")
        this.check(false, `${who}: ${lastMessage.text} in ${id} is ${lastMessage.state}`);
    for (const opened of this.open.filter((one) => one.program === program)) {
      const { timeline, chat } = opened;
      if (!expected.some(({ id }) => id === chat.id)) continue;
      await this.compareTimeline(who, opened, homeUser, await this.loadAll(program, timeline));
    }
    const preferences = this.server.stateOf(homeUser).keys.get("preferences")?.value ?? undefined;
    this.check(
      sorted(messenger.preferences.value) === sorted(preferences),
      `${who}: preferences ${sorted(messenger.preferences.value)} for ${sorted(preferences)}`,
    );
    for (const chat of this.server.chatsOf(homeUser)) {
      const me = chat.members.get(homeUser);
      const summary = chats.find(({ id }) => id === chat.id);
      if (!me) continue;
      if (!expected.includes(chat)) continue;
      const last = chat.messages.at(-1);
      const peerId = chat.pair?.find((id) => id !== homeUser) ?? homeUser;
      const settings = (this.server.stateOf(homeUser).keys.get(`chat:${chat.id}`)?.value ?? {}) as ChatSettings;
      const draft = (this.server.stateOf(homeUser).keys.get(`draft:${chat.id}`)?.value ?? { text: "" }) as Draft;
      const wanted = {
        title: chat.pair ? this.server.data.users.get(peerId)?.firstName : chat.groupName,
        unread: chat.messages.length - me.readSeq,
        mentions: mentionsOf(chat, homeUser),
        ...(!chat.pair && { role: me.role, memberCount: chat.members.size }),
        personal: [settings.level ?? "all", settings.pinned, settings.markedUnread ?? false, draft.text],
        attention: attentionFor(settings, chat.messages.length, chat.messages.length - me.readSeq),
      };
      const found = summary && {
        title: summary.title,
        unread: summary.unread,
        mentions: summary.mentions,
        ...(!chat.pair && { role: summary.role, memberCount: summary.memberCount }),
        personal: [summary.level, summary.pinned, summary.markedUnread, summary.draft],
        attention: [summary.muted, summary.archived, summary.badge, summary.alerts],
      };
      this.check(
        JSON.stringify(found) === JSON.stringify(wanted),
        `${who}, chat ${chat.id}: ${JSON.stringify(found)} for ${JSON.stringify(wanted)}`,
      );
      if (summary?.lastMessage?.state === "sent")
        this.check(
          summary.lastMessage.text === last?.text,
          `${who}, chat ${chat.id}: last message ${summary.lastMessage.text} for ${last?.text}`,
        );
      this.check(summary?.lastMessage !== undefined, `${who}, chat ${chat.id} has no last message`);
      const handle = chat.pair ? messenger.dialogWith(peerId) : messenger.chat(chat.id);
      const peer = peerId === homeUser ? undefined : chat.members.get(peerId);
      if (chat.pair && peer)
        this.check(
          handle.readBy.value[0]?.seq === peer.readSeq,
          `${who}, chat ${chat.id}: read by ${handle.readBy.value[0]?.seq} for ${peer.readSeq}`,
        );
      program.run(() => handle.pinned.subscribe(() => {}));
      await this.advance(100);
      const opened = { program, chat: handle, timeline: program.run(() => handle.timeline()) };
      await this.compareTimeline(who, opened, homeUser, await this.loadAll(program, opened.timeline));
      opened.timeline.close();
    }
    for (const { id, peer } of chats) {
      const handle = peer ? messenger.dialogWith(peer.id) : id === undefined ? undefined : messenger.chat(id);
      const timeline = handle?.timeline();
      for (const one of timeline?.value.messages ?? [])
        if (one.state !== "sent" && one.clientMessageId) unsent.push(one.clientMessageId);
      timeline?.close();
    }
    return unsent.sort();
  }

  /** Loads everything into a timeline, as far as it has place. @returns whether it shows all */
  private async loadAll(program: ModelProgram, timeline: Timeline): Promise<"all" | "part"> {
    await this.advance(200);
    for (let pages = 0; pages < 60 && timeline.value.hasNewer; pages++) {
      program.run(() => timeline.loadNewer().catch(() => {}));
      await this.advance(100);
    }
    this.check(!timeline.value.hasNewer, "a timeline does not reach the end");
    for (let pages = 0; pages < 60 && timeline.value.hasOlder; pages++) {
      program.run(() => timeline.loadOlder().catch(() => {}));
      await this.advance(100);
    }
    this.check(!timeline.value.hasOlder, "a timeline does not reach the beginning");
    return timeline.value.hasNewer ? "part" : "all";
  }

  private async compareTimeline(who: string, opened: Open, userId: number, amount: "all" | "part"): Promise<void> {
    this.checkView(opened);
    const { chat, timeline } = opened;
    const stored = this.server.data.chats.get(chat.id ?? 0);
    const clearedSeq = stored?.members.get(userId)?.clearedSeq ?? 0;
    const name = (id: number) => this.server.data.users.get(id)?.firstName;
    const wanted = (stored?.messages ?? [])
      .filter(({ seq }) => seq > clearedSeq)
      .map((one) => {
        const original = stored?.messages.find(({ id }) => id === one.replyTo);
        return [
          one.seq,
          one.version,
          one.text,
          one.deletedAt,
          one.editedAt,
          name(one.senderId),
          original && [original.text.slice(0, 100), original.deletedAt],
          [...one.reactions].map(([used, userIds]) => [used, userIds.length, userIds.includes(userId)]),
          one.mentions,
          one.mentionsAll,
          one.pinned,
          one.deletedAt ? undefined : one.firstAuthorId,
        ];
      });
    const found = timeline.value.messages
      .filter(({ seq }) => seq !== undefined)
      .map((one) => [
        one.seq,
        one.version,
        one.text,
        one.deletedAt,
        one.editedAt,
        one.senderName,
        one.replyTo && [one.replyTo.preview, one.replyTo.deletedAt],
        (one.reactions ?? []).map(({ emoji: used, count, mine = false }) => [used, count, mine]),
        one.mentions,
        one.mentionsAll,
        one.pinned,
        one.forwarded?.senderId,
      ]);
    const pinned = chat.pinned.value.map(({ messageId, version, pinned: pin }) => [messageId, version, pin]);
    const wantedPins = (stored ? pinnedOf(stored, userId) : []).map((one) => [one.id, one.version, one.pinned]);
    this.check(
      JSON.stringify(pinned) === JSON.stringify(wantedPins),
      `${who}: pins of chat ${chat.id}: ${JSON.stringify(pinned)} for ${JSON.stringify(wantedPins)}`,
    );
    const part = amount === "all" ? wanted : wanted.slice(0, found.length);
    const [a, b] = [JSON.stringify(found), JSON.stringify(part)];
    const index = found.findIndex((one, at) => JSON.stringify(one) !== JSON.stringify(part[at]));
    this.check(
      a === b,
      `${who}: timeline of chat ${chat.id} (${amount}, ${found.length} of ${part.length}) differs at ${index}: ${JSON.stringify(found[index])} for ${JSON.stringify(part[index])}`,
    );
  }

  /** A process can exit after `close`. */
  private async checkExit(): Promise<void> {
    for (const { program } of this.slots) if (program) program.run((messenger) => void messenger.close());
    await this.time.advance(5000);
    for (const { program } of this.slots) {
      const timers = program ? this.time.timersOf(program) : 0;
      this.check(timers === 0, `${timers} timers are left behind after close`);
    }
  }
}

/** Most messages mention nobody. */
function mentioning(userId: number, n: number): MentionedPeople {
  if (n % 4 === 0) return { mentions: [{ userId, offset: 0, length: 1 }] };
  return n % 7 === 0 ? { mentionsAll: true } : {};
}

function groupsOf(messenger: Messenger, chats: Messenger["chats"]["value"]): Chat[] {
  return chats.flatMap(({ id, kind }) => (kind === "group" && id !== undefined ? messenger.chat(id) : []));
}

const sorted = (value: unknown): string => JSON.stringify(Object.entries(value ?? {}).sort());

/** Settings that do not depend on the time. */
function changeSettings(chat: Chat, m: number): Promise<void> {
  const on = m % 2 === 0;
  if (m % 5 === 0) return chat.setPinned(on);
  if (m % 5 === 1) return chat.setLevel(on ? "none" : "all");
  if (m % 5 === 2) return chat.markUnread(on);
  if (m % 5 === 3) return chat.archive(on);
  return on ? chat.mute() : chat.mute(new Date(0));
}

/** The meaning of the settings above, in other words than those of the client. */
function attentionFor({ level, mutedUntil, archivedSeq = -1 }: ChatSettings, lastSeq: number, unread: number) {
  const isMuted = mutedUntil !== undefined;
  const isQuiet = isMuted || level === "none";
  const isArchived = archivedSeq >= lastSeq || (isMuted && archivedSeq >= 0);
  return [isMuted, isArchived, isQuiet ? 0 : unread, isQuiet ? "none" : "all"];
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
