import { Counter, CounterBy, CounterByTwo, type Sample, type Samples } from "./counters.ts";
import { Distribution, DistributionBy, type Distributions } from "./distribution.ts";
import { Exposition } from "./exposition.ts";

/** In seconds: from a statement on the same machine to the timeouts. */
const durations = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const batchSizes = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** The values that are read when the metrics are. */
export interface Gauges {
  sockets: () => number;
  bufferedBytes: () => number;
  /** By state. */
  poolConnections: () => Readonly<Record<string, number>>;
  isBusUp: () => boolean;
  passwordQueue: () => number;
  /** In seconds. */
  searchIndexLag: () => number;
}

/**
 * Everything that the server measures: the parts of the server count into the fields, and get none where metrics are off.
 * Labels never have values that a client chooses, and never ids of users or chats.
 */
export class Metrics {
  readonly socketCloses = new CounterBy("code");
  readonly requests = new CounterByTwo(["type", "outcome"]);
  readonly requestSeconds = new DistributionBy("type", durations);
  readonly httpRequests = new CounterByTwo(["route", "status"]);
  readonly httpRequestSeconds = new DistributionBy("route", durations);
  readonly sendCommitSeconds = new Distribution(durations);
  readonly sendBatchSize = new Distribution(batchSizes);
  readonly deliveryLagSeconds = new Distribution(durations);
  readonly pushes = new Counter();
  readonly droppedPushes = new CounterBy("kind", ["typing", "presence"]);
  readonly syncSeconds = new Distribution(durations);
  readonly syncChats = new CounterBy("result", ["positions", "changes", "newest", "tooLong", "reset", "left"]);
  readonly gapReads = new Counter();
  readonly inDoubtCommits = new Counter();
  readonly querySeconds = new DistributionBy("query", durations);
  readonly fileUploads = new CounterBy("outcome", ["received", "failed"]);
  readonly fileUploadBytes = new Counter();
  readonly filesDeleted = new Counter();
  readonly lostBusMessages = new Counter();
  readonly logIns = new CounterBy("outcome", ["ok", "BAD_CREDENTIALS", "RATE_LIMITED", "UNAVAILABLE"]);
  readonly rateLimited: CounterBy;
  private readonly exposition = new Exposition();
  private gauges: Gauges | undefined;
  private violations: number | undefined;

  /**
   * @param options.limits the names of the rate limits
   * @param options.findBackupTime when the newest backup was written, in milliseconds since 1970; undefined if there is none
   */
  constructor(options: {
    version: string;
    limits: readonly string[];
    findBackupTime: () => Promise<number | undefined>;
  }) {
    this.rateLimited = new CounterBy("limit", options.limits);
    this.addWebSocketMetrics();
    this.addHttpMetrics();
    this.addFileMetrics();
    this.addDeliveryMetrics();
    this.addDependencies();
    this.addChecks(options);
  }

  get contentType(): string {
    return this.exposition.contentType;
  }

  /** All metrics in the format of Prometheus. */
  text(): Promise<string> {
    return this.exposition.text();
  }

  /** Says where the gauges are read. Until then they have no values. */
  setGauges(gauges: Gauges): void {
    this.gauges = gauges;
  }

  /** Notes the result of a complete check of the data. */
  readonly noteViolations = (count: number): void => {
    this.violations = count;
  };

  private addWebSocketMetrics(): void {
    this.gauge("sockets", "Open WebSockets.", ({ sockets }) => sockets());
    this.gauge("buffered_bytes", "Bytes that wait to be sent to clients.", ({ bufferedBytes }) => bufferedBytes());
    this.counter("socket_closes_total", "Closed WebSockets, by close code.", this.socketCloses);
    this.counter(
      "requests_total",
      "Requests on WebSockets, by type and outcome (ok, or the error code).",
      this.requests,
    );
    this.histogram(
      "request_seconds",
      "Time from the start of a request on a WebSocket to its answer.",
      this.requestSeconds,
    );
    this.counter("pushes_total", "Pushes that were written to sockets.", this.pushes);
    this.counter(
      "pushes_dropped_total",
      "Pushes of typing and presence that were dropped because the client reads slowly.",
      this.droppedPushes,
    );
    this.histogram("sync_seconds", "Time to find what a client lacks.", this.syncSeconds);
    this.counter(
      "sync_chats_total",
      "Chats in answers to sync, by what differed: only positions, changes, the newest messages of a chat that is new to the client, too many changes (tooLong), another history (reset), or the user has left.",
      this.syncChats,
    );
  }

  private addHttpMetrics(): void {
    this.counter(
      "http_requests_total",
      "HTTP requests and WebSocket upgrades (101), by template of the route and status.",
      this.httpRequests,
    );
    this.histogram(
      "http_request_seconds",
      "Time from the headers of an HTTP request to the end of its response.",
      this.httpRequestSeconds,
    );
    this.counter("logins_total", "Log-ins, by outcome (ok, or the error code).", this.logIns);
    this.counter("rate_limited_total", "Requests over a rate limit, by limit.", this.rateLimited);
    this.gauge("password_hash_queue", "Password hashes that wait for a free place.", (gauges) =>
      gauges.passwordQueue(),
    );
  }

  private addFileMetrics(): void {
    this.counter("file_uploads_total", "Uploads of contents of files, by outcome.", this.fileUploads);
    this.counter("file_upload_bytes_total", "Bytes of files that were received.", this.fileUploadBytes);
    this.counter("files_deleted_total", "Files that were deleted because no message has them.", this.filesDeleted);
  }

  private addDeliveryMetrics(): void {
    this.histogram("send_commit_seconds", "Time to store a batch of messages.", this.sendCommitSeconds);
    this.histogram("send_batch_size", "Messages in a batch.", this.sendBatchSize);
    this.histogram(
      "delivery_lag_seconds",
      "Time from the commit of a change to the write to the sockets of this process, of changes made in this process.",
      this.deliveryLagSeconds,
    );
    this.counter("gap_reads_total", "Reads of changes that delivery missed, per chat.", this.gapReads);
    this.counter(
      "in_doubt_commits_total",
      "Commits whose outcome is unknown because the connection failed.",
      this.inDoubtCommits,
    );
  }

  private addDependencies(): void {
    this.exposition.addGauge(
      "db_pool_connections",
      "Connections to the database that are used or idle, and tasks that wait for one.",
      ["state"],
      () =>
        Object.entries(this.gauges?.poolConnections() ?? {}).map(([state, value]) => ({ labels: { state }, value })),
    );
    this.histogram(
      "db_query_seconds",
      "Time of a database statement with the wait for a connection, by name or by verb and table.",
      this.querySeconds,
    );
    this.gauge("bus_up", "1 if the processes reach each other, or there is only one; 0 if not.", ({ isBusUp }) =>
      isBusUp() ? 1 : 0,
    );
    this.gauge(
      "search_index_lag_seconds",
      "How long the oldest change of a message known to this process has not been indexed for search; 0 if there is none.",
      ({ searchIndexLag }) => searchIndexLag(),
    );
    this.counter(
      "bus_lost_total",
      "Messages to other processes that could not be sent. They find the changes in the database.",
      this.lostBusMessages,
    );
  }

  private addChecks({ version, findBackupTime }: ConstructorParameters<typeof Metrics>[0]): void {
    const { exposition } = this;
    exposition.addGauge("backup_age_seconds", "Age of the newest backup in DATA_DIR/backups.", [], async () => {
      const writtenAt = await findBackupTime();
      return valueIfAny(writtenAt === undefined ? undefined : Math.max(0, Date.now() - writtenAt) / 1000);
    });
    exposition.addGauge("fsck_violations", "Violations that the last complete fsck found in this process.", [], () =>
      valueIfAny(this.violations),
    );
    exposition.addGauge("build_info", "The version of the messenger.", ["version"], () => [
      { labels: { version }, value: 1 },
    ]);
  }

  private counter(name: string, help: string, counter: Samples): void {
    this.exposition.addCounter(name, help, counter);
  }

  private histogram(name: string, help: string, distributions: Distributions): void {
    this.exposition.addHistogram(name, help, distributions);
  }

  private gauge(name: string, help: string, read: (gauges: Gauges) => number): void {
    this.exposition.addGauge(name, help, [], () => valueIfAny(this.gauges && read(this.gauges)));
  }
}

const valueIfAny = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ labels: {}, value }]);
