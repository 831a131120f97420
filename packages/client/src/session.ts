import { Backoff } from "./backoff.ts";
import { MessengerError, toMessengerError } from "./errors.ts";
import type { Http } from "./http.ts";
import type { Log } from "./log.ts";
import type { Session } from "./protocol.ts";
import type { Json, StorePart } from "./store.ts";

const key = "session";
/** The part of a token's life after which it is renewed. */
const renewalPoint = 0.8;
const maxTimerMs = 2 ** 31 - 1;

/** A session with the local time at which it was received: the clocks of server and device may differ. */
type StoredSession = Session & { receivedAt: number };

/**
 * The session of the logged-in user. It is kept in the store, where other tabs find a token that one of them has renewed.
 */
export class Sessions {
  private stored: StoredSession | undefined;
  /** The store failed, and what it has is outdated. */
  private isUnsaved = false;
  private renewing: Promise<void> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly options: {
      http: Http;
      store: StorePart;
      log: Log;
      /** Is called with each new token of the same session. */
      onRenewed(token: string): void;
    },
  ) {}

  /** The session; undefined if nobody is logged in. */
  get current(): Session | undefined {
    return this.stored;
  }

  /** Whether the token has most of its life behind it. The device's clock may be wrong: the server has the last word. */
  get isDue(): boolean {
    return this.remainingMs() <= 0;
  }

  /** Reads the stored session. */
  async load(): Promise<Session | undefined> {
    const stored = await this.options.store.get(key);
    this.stored = isStoredSession(stored) ? stored : undefined;
    this.schedule();
    return this.stored;
  }

  /** Makes a session the current one, and stores it before it is used. */
  async begin(session: Session): Promise<void> {
    const stored = { ...session, receivedAt: Date.now() };
    await this.save(stored);
    this.stored = stored;
    this.schedule();
  }

  /** Forgets the session, here and in the store, unless the store already has another one. */
  async end(): Promise<void> {
    clearTimeout(this.timer);
    const { stored } = this;
    this.stored = undefined;
    await this.options.store
      .lock(key, async () => {
        const current = await this.options.store.get(key);
        if (isStoredSession(current) && isSameLogIn(current, stored)) await this.options.store.delete(key);
      })
      .catch((error) => this.options.log.warn(`the store failed: ${error}`));
  }

  /** Stops renewing. */
  close(): void {
    clearTimeout(this.timer);
  }

  /**
   * Exchanges the refresh token for a new session, or takes the one that another tab has received.
   * @throws MessengerError `UNAUTHENTICATED` if the session is over, `LOGGED_OUT` if another tab has logged out
   */
  renew(): Promise<void> {
    this.renewing ??= this.options.store
      .lock(key, () => this.renewLocked())
      .finally(() => {
        this.renewing = undefined;
      });
    return this.renewing;
  }

  private async renewLocked(): Promise<void> {
    const mine = this.stored;
    if (!mine) throw loggedOut();
    const found = this.isUnsaved ? mine : await this.options.store.get(key).catch(() => mine);
    const current = isStoredSession(found) ? found : undefined;
    if (!current || current.user.id !== mine.user.id) throw loggedOut();
    if (current.refreshToken === mine.refreshToken) {
      const renewed = await this.exchange(mine.refreshToken);
      this.stored = { ...renewed, receivedAt: Date.now() };
      await this.save(this.stored);
    } else this.stored = current;
    this.schedule();
    this.options.onRenewed(this.stored.token);
  }

  /** The same exchange can be repeated: a lost answer does no harm. */
  private exchange(refreshToken: string): Promise<Session> {
    const exchange = () => this.options.http.request<Session>("POST", "/auth/refresh", { body: { refreshToken } });
    return exchange().catch((error) => {
      if (toMessengerError(error).code === "OFFLINE") return exchange();
      throw error;
    });
  }

  private async save(session: StoredSession): Promise<void> {
    try {
      await this.options.store.set(key, session as unknown as Json);
      this.isUnsaved = false;
    } catch (error) {
      this.isUnsaved = true;
      this.options.log.warn(`the session is not stored: ${error}`);
    }
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (!this.stored) return;
    this.scheduleIn(this.remainingMs(), new Backoff());
  }

  private scheduleIn(ms: number, backoff: Backoff): void {
    this.timer = setTimeout(
      () => {
        // A session that is over is noticed when its socket is closed.
        this.renew().catch((error) => {
          if (toMessengerError(error).retryable) this.scheduleIn(1000 + backoff.next(), backoff);
        });
      },
      Math.min(Math.max(ms, 0), maxTimerMs),
    );
  }

  private remainingMs(): number {
    if (!this.stored) return 0;
    const { token, receivedAt } = this.stored;
    const age = Math.max(0, Date.now() - receivedAt);
    return lifeMs(token) * renewalPoint - age;
  }
}

/** The claims of a token (RFC 7519). */
function claimsOf(token: string): { iat?: number; exp?: number; sid?: unknown } {
  try {
    const [, payload = ""] = token.split(".");
    return JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {};
  }
}

/** The lifetime of a token by the server's clock alone. */
function lifeMs(token: string): number {
  const { iat = 0, exp = 0 } = claimsOf(token);
  return (exp - iat) * 1000;
}

const loggedOut = () => new MessengerError("LOGGED_OUT", "Nobody is logged in.");

const isStoredSession = (value: unknown): value is StoredSession =>
  typeof value === "object" && value !== null && "refreshToken" in value && "receivedAt" in value;

const isSameLogIn = (a: Session, b: Session | undefined) =>
  b !== undefined && a.user.id === b.user.id && claimsOf(a.token).sid === claimsOf(b.token).sid;
