import type { Statistics } from "messenger-client";
import { useEffect, useState } from "preact/hooks";
import { sizeText } from "../chat/file-size.ts";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { ErrorNote } from "../ui/error-note.tsx";
import { count, formatDay, formatNumber } from "./format.ts";

/** How much the server is used. */
export function StatisticsSection() {
  const [statistics, setStatistics] = useState<Statistics>();
  const [error, setError] = useState<string>();
  const read = () => {
    setError(undefined);
    messenger.call<Statistics>("GET", "/admin/stats").then(setStatistics, (failure) => setError(errorText(failure)));
  };
  useEffect(read, []);
  if (error) return <ErrorNote retry={read}>{error}</ErrorNote>;
  if (!statistics) return <p class="empty">Loading…</p>;
  const { users, active, sockets, chats, messages, messagesPerDay, databaseBytes, fileBytes } = statistics;
  const numbers: readonly [string, string][] = [
    ["Accounts", formatNumber(users)],
    ["Active in 24 hours", formatNumber(active.day)],
    ["Active in 7 days", formatNumber(active.week)],
    ["Active in 30 days", formatNumber(active.month)],
    ["Open connections", formatNumber(sockets)],
    ["Chats", formatNumber(chats)],
    ["Messages", formatNumber(messages)],
    ["Database", sizeText(databaseBytes)],
    ...(fileBytes > 0 ? [["Files", sizeText(fileBytes)] as [string, string]] : []),
  ];
  return (
    <>
      <dl class="numbers">
        {numbers.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <MessagesPerDay days={messagesPerDay} />
    </>
  );
}

const height = 100;
const step = 10;
const gap = 2;

/** @param days the messages of each day; today is the last one */
function MessagesPerDay({ days }: { days: readonly number[] }) {
  const most = Math.max(...days, 1);
  const dayAt = (index: number) => new Date(Date.now() - (days.length - 1 - index) * 86_400_000);
  const total = days.reduce((sum, each) => sum + each, 0);
  return (
    <figure class="chart">
      <figcaption>
        <span>Messages per day</span>
        <span class="hint">most on one day: {formatNumber(Math.max(...days, 0))}</span>
      </figcaption>
      <svg
        role="img"
        aria-label={`Messages per day: ${formatNumber(total)} in ${days.length} days, ${formatNumber(days.at(-1) ?? 0)} today`}
        viewBox={`0 0 ${days.length * step} ${height}`}
        preserveAspectRatio="none"
      >
        {days.map((messages, index) => {
          const size = (messages / most) * height;
          return (
            <g key={index}>
              <title>{`${formatDay(dayAt(index))}: ${count(messages, "message", "messages")}`}</title>
              <rect class="chart-day" x={index * step} y={0} width={step} height={height} />
              <rect x={index * step + gap / 2} y={height - size} width={step - gap} height={size} />
            </g>
          );
        })}
      </svg>
      <p class="chart-days hint">
        <span>{formatDay(dayAt(0))}</span>
        <span>Today</span>
      </p>
    </figure>
  );
}
