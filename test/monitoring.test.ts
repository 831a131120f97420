import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { LogLines } from "./support/log-lines.ts";
import { useMessenger } from "./support/messenger.ts";
import { type MetricsText, readMetrics } from "./support/metrics-text.ts";
import { describeWithPrometheus } from "./support/prerequisites.ts";
import { promtool, TestPrometheus } from "./support/prometheus.ts";
import { participant, sendPrivately } from "./support/scenes.ts";

/* The dashboard, the alert rules and the page about monitoring name what a server has, and Prometheus accepts them. */

const path = (name: string): string => join(__dirname, "../docs/operations", name);
const file = (name: string): string => readFileSync(path(name), "utf8");
const rules = path("alerts.yml");

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

const dashboard: { panels: Panel[] } = JSON.parse(file("grafana-dashboard.json"));

/** The queries of the dashboard, as Grafana sends them for all instances. */
const queries = dashboard.panels
  .flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, expr]))
  .map(([title, expr]): [string, string] => [
    title,
    expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"),
  ]);

/** The metrics that a text names, without the suffixes of histograms. */
const metricsIn = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/\b(?:messenger|nodejs|process)_[a-z0-9_]+\b/g)].map(([name]) =>
      name.replace(/_(?:bucket|sum|count)$/, ""),
    ),
  ),
];

const log = new LogLines();
const messenger = useMessenger({ METRICS_PORT: "0" }, log.log);
let url: URL;
let metrics: MetricsText;

beforeAll(async () => {
  url = new URL(/http:\S+/.exec(log.output.replaceAll('"', " "))?.[0] ?? "");
  const [ann, bob] = [await participant(messenger()), await participant(messenger())];
  await sendPrivately(ann.device, bob.id, "one");
  await ann.device.request("sync", { chats: [] });
  await ann.device.requestError("getMessages", {});
  await ann.device.close();
  metrics = await readMetrics(url.href);
});

describe("every metric", () => {
  test.each(["grafana-dashboard.json", "alerts.yml", "monitor.md"])("that %s names exists", (name) => {
    const named = metricsIn(file(name));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((metric) => !metrics.names.includes(metric))).toEqual([]);
  });

  test("of the messenger has a row in the page about monitoring", () => {
    const rows = [...file("monitor.md").matchAll(/^\| `(messenger_\w+)` \| (\w+) \|/gm)];
    const types = [...metrics.text.matchAll(/^# TYPE (messenger_\w+) (\w+)/gm)];
    const named = (matches: RegExpExecArray[]) => matches.map(([, name, type]) => `${name} ${type}`).sort();
    expect(named(rows)).toEqual(named(types));
  });

  test("and every alert has a row in the page about monitoring", () => {
    const alerts = [...file("alerts.yml").matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const rows = [...file("monitor.md").matchAll(/^\| `(Messenger\w+)` \|/gm)].map(([, name]) => name);
    expect(rows).toEqual(alerts);
  });
});

/** Series, one sample a minute, with which each alert fires. */
const firing: Record<string, Record<string, string>> = {
  MessengerDown: { 'up{job="messenger", instance="a"}': "0x30" },
  MessengerRestarts: { 'process_start_time_seconds{job="messenger", instance="a"}': "1+60x30" },
  MessengerInternalErrors: { 'messenger_requests_total{type="sync", outcome="INTERNAL", instance="a"}': "0+1x30" },
  MessengerUnavailable: {
    'messenger_requests_total{type="sync", outcome="UNAVAILABLE", instance="a"}': "0+10x30",
    'messenger_requests_total{type="sync", outcome="ok", instance="a"}': "0+100x30",
  },
  MessengerSendsSlow: {
    'messenger_request_seconds_bucket{type="privateMessage", le="1", instance="a"}': "0+90x30",
    'messenger_request_seconds_bucket{type="privateMessage", le="2.5", instance="a"}': "0+100x30",
    'messenger_request_seconds_bucket{type="privateMessage", le="+Inf", instance="a"}': "0+100x30",
  },
  MessengerDeliverySlow: {
    'messenger_delivery_lag_seconds_bucket{le="1", instance="a"}': "0+90x30",
    'messenger_delivery_lag_seconds_bucket{le="2.5", instance="a"}': "0+100x30",
    'messenger_delivery_lag_seconds_bucket{le="+Inf", instance="a"}': "0+100x30",
  },
  MessengerSearchBehind: { 'messenger_search_index_lag_seconds{instance="a"}': "120x30" },
  MessengerCommitsInDoubt: { 'messenger_in_doubt_commits_total{instance="a"}': "0+1x30" },
  MessengerBusDown: { 'messenger_bus_up{instance="a"}': "0x30" },
  MessengerDatabasePoolFull: { 'messenger_db_pool_connections{state="waiting", instance="a"}': "3x30" },
  MessengerEventLoopBlocked: { 'nodejs_eventloop_lag_p99_seconds{job="messenger", instance="a"}': "0.6x30" },
  MessengerBufferedBytes: { 'messenger_buffered_bytes{instance="a"}': "200000000x30" },
  MessengerFileDescriptors: {
    'process_open_fds{job="messenger", instance="a"}': "950x30",
    'process_max_fds{job="messenger", instance="a"}': "1000x30",
  },
  MessengerPasswordQueue: { 'messenger_password_hash_queue{instance="a"}': "2x30" },
  MessengerPasswordGuessing: { 'messenger_logins_total{outcome="BAD_CREDENTIALS", instance="a"}': "0+120x30" },
  MessengerBackupOld: { 'messenger_backup_age_seconds{instance="a"}': "180000x30" },
  MessengerDataDamaged: { 'messenger_fsck_violations{instance="a"}': "1x30" },
};

describeWithPrometheus("Prometheus", () => {
  let prometheus: TestPrometheus;

  beforeAll(async () => {
    prometheus = await TestPrometheus.start({ target: url.host, rules });
    // Rates need two samples.
    await prometheus.waitFor("count_over_time(messenger_build_info[1m]) >= 3");
  });

  afterAll(() => prometheus?.stop());

  test("reads the metrics, and evaluates every query of the dashboard to a result", async () => {
    expect((await prometheus.query("up")).map(({ value }) => value[1])).toEqual(["1"]);
    const empty: string[] = [];
    for (const [title, query] of queries) if ((await prometheus.query(query)).length === 0) empty.push(title);
    // There is no backup, and no fsck has run.
    expect(empty).toEqual(["Age of the newest backup", "Violations found by fsck"]);
  });

  test("evaluates every alert rule without an error, and none fires for a server that works", async () => {
    const loaded = await prometheus.evaluatedRules();
    expect(loaded.map(({ name }) => name)).toEqual(Object.keys(firing));
    for (const { name, health, state, lastError } of loaded) {
      expect({ name, health, lastError, fires: state === "firing" }).toEqual({ name, health: "ok", fires: false });
    }
  });

  test("fires each alert for a server with the problem that it is about", async () => {
    const folder = await mkdtemp(join(tmpdir(), "messenger-rules-"));
    const tests = Object.entries(firing).map(([alert, series]) => ({
      interval: "1m",
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: `count by (alertname) (ALERTS{alertstate="firing"})`,
          eval_time: "30m",
          exp_samples: [{ labels: `{alertname="${alert}"}`, value: 1 }],
        },
      ],
    }));
    try {
      await writeFile(join(folder, "tests.json"), JSON.stringify({ rule_files: [rules], tests }));
      await promtool("check", "rules", rules);
      await promtool("test", "rules", join(folder, "tests.json"));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
