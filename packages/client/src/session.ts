import { Backoff } from "./backoff.ts";
import { MessengerError, toMessengerError } from "./errors.ts";
import type { Http } from "./http.ts";
import type { Session } from "./protocol.ts";
import type { Json, StorePart } from "./store.ts";

const key = "session";
/** The part of a token's life after which it is renewed. */
const renewalPoint = 0.8;
const maxTimerMs = 2 ** 31 - 1;

/** What is stored of a session. Access tokens are kept in memory only. */
type StoredSession = Pick<Session, "user" | "refreshToken"> & { id: string };

/** The session of the logged-in user. Tabs share its refresh token, which is exchanged by one of them at a time. */
export class Sessions {
  private session: StoredSession | undefined;
  private isStored = false;
  private accessToken: { token: string; receivedAt: number } | undefined;
  private renewing: Promise<void> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  constructor(
    private readonly options: {
      http: Http;
      store: StorePart;
      /** Is called when the store fails. */
      onStoreFailure(error: unknown): void;
      /** Is called with the same session each time it has a new token. */
      onRenewed(session: Session): void;
    },
  ) {}

  /** Whether somebody is logged in. */
  get isActive(): boolean {
    return this.session !== undefined;
  }

  /** The access token; undefined if it has to be renewed first. The device's clock may be wrong: the server decides. */
  get token(): string | undefined {
    return this.remainingMs() > 0 ? this.accessToken?.token : undefined;
  }

  /** The access token, also if it has to be renewed; undefined before there was one. */
  get latestToken(): string | undefined {
    return this.accessToken?.token;
  }

  /** Reads the stored session. */
  async load(): Promise<StoredSession | undefined> {
    const stored = await this.options.store.get(key);
    this.session = isStoredSession(stored) ? stored : undefined;
    this.isStored = this.session !== undefined;
    return this.session;
  }

  /** Makes a session the current one, and stores it before it is used. */
  async begin(session: Session): Promise<void> {
    // Not while this or another tab renews the one before, which would then replace it.
    await this.options.store.lock(key, () => this.save(session));
    this.use(session);
  }

  /** Identifies the session. */
  get id(): string | undefined {
    return this.session?.id;
  }

  /** Forgets a session, here and in the store, unless another one has begun. */
  async end(id: string | undefined): Promise<void> {
    if (this.session?.id === id) {
      clearTimeout(this.timer);
      this.session = undefined;
      this.accessToken = undefined;
    }
    await this.options.store
      .lock(key, async () => {
        const current = await this.options.store.get(key);
        if (isStoredSession(current) && current.id === id) await this.options.store.delete(key);
      })
      .catch(this.options.onStoreFailure);
  }

  /** Stops renewing. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  /**
   * Exchanges the refresh token, which another tab may have exchanged before.
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
    const { session } = this;
    const current = this.isStored ? await this.options.store.get(key).catch(() => session) : session;
    if (!session || !isStoredSession(current) || current.id !== session.id) throw loggedOut();
    const renewed = await this.exchange(current.refreshToken);
    await this.save(renewed);
    // It was ended meanwhile.
    if (this.session?.id !== session.id) throw loggedOut();
    this.use(renewed);
    this.options.onRenewed(renewed);
  }

  private use(session: Session): void {
    this.session = toStored(session);
    this.accessToken = { token: session.token, receivedAt: Date.now() };
    this.schedule();
  }

  /** The same exchange can be repeated: a lost answer does no harm. */
  private exchange(refreshToken: string): Promise<Session> {
    const exchange = () => this.options.http.request<Session>("POST", "/auth/refresh", { body: { refreshToken } });
    return exchange().catch((error) => {
      if (toMessengerError(error).code === "OFFLINE") return exchange();
      throw error;
    });
  }

  /** If the store fails, the session ends with the page. */
  private async save(session: Session): Promise<void> {
    try {
      await this.options.store.set(key, toStored(session) as unknown as Json);
      this.isStored = true;
    } catch (error) {
      this.isStored = false;
      this.options.onStoreFailure(error);
    }
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.scheduleIn(this.remainingMs(), new Backoff());
  }

  private scheduleIn(ms: number, backoff: Backoff): void {
    if (this.isClosed || !this.session) return;
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
    if (!this.accessToken) return 0;
    const { token, receivedAt } = this.accessToken;
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

/** The lifetime of a token by the server's clock alone, in milliseconds. */
function lifeMs(token: string): number {
  const { iat = 0, exp = 0 } = claimsOf(token);
  return (exp - iat) * 1000;
}

const toStored = ({ user, refreshToken, token }: Session): StoredSession => ({
  id: String(claimsOf(token).sid),
  user,
  refreshToken,
});

const loggedOut = () => new MessengerError("LOGGED_OUT", "Nobody is logged in.");

const isStoredSession = (value: unknown): value is StoredSession =>
  typeof value === "object" && value !== null && "refreshToken" in value && "id" in value;
