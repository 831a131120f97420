import type { Dataset } from "../dataset.ts";
import { prepareLoad } from "../load/load.ts";
import type { SyncJob, SyncResult } from "../load/sync-process.ts";
import type { Scenario } from "../scenario.ts";
import { startServer, withServers } from "../servers.ts";
import { quantile } from "../statistics.ts";
import type { Target } from "../table.ts";

const membersOfGroup = 50;
const groupsOfPerson = 5;
const messagesOfGroup = 100;
/** Messages that a device has missed in each group. */
const missed = 10;

/** Users 1 to 50 are members of groups 1 to 5, users 51 to 100 of groups 6 to 10, and so on. */
const firstGroupOf = (userId: number) => Math.floor((userId - 1) / membersOfGroup) * groupsOfPerson + 1;

const datasetOf = (people: number): Dataset => {
  const groups = (people / membersOfGroup) * groupsOfPerson;
  return {
    people,
    sql: `
      INSERT INTO chats (id, kind, name, last_seq, version, last_message_id)
      SELECT g, 'group', 'group ' || g, ${messagesOfGroup}, ${messagesOfGroup}, g * ${messagesOfGroup}
        FROM generate_series(1, ${groups}) AS g;
      INSERT INTO chat_members (user_id, chat_id)
      SELECT p, (p - 1) / ${membersOfGroup} * ${groupsOfPerson} + g
        FROM generate_series(1, ${people}) AS p, generate_series(1, ${groupsOfPerson}) AS g;
      INSERT INTO messages (id, chat_id, seq, version, sender_id, content, created_at)
      SELECT (g - 1) * ${messagesOfGroup} + s, g, s, s, (g - 1) / ${groupsOfPerson} * ${membersOfGroup} + 1,
             'message ' || s || ' and the rest of what people say to each other', now()
        FROM generate_series(1, ${groups}) AS g, generate_series(1, ${messagesOfGroup}) AS s ORDER BY g, s`,
  };
};

const chatsKnownTo = (userId: number) =>
  Array.from({ length: groupsOfPerson }, (_, index): [number, number, number] => [
    firstGroupOf(userId) + index,
    messagesOfGroup - missed,
    0,
  ]);

export const sync: Scenario = {
  summary: "all devices reconnect at once and sync",
  run({ quick, only }, databaseServer) {
    const people = quick ? 500 : 5000;
    const dataset = datasetOf(people);
    const names = only.filter((name) => name === "ours" || name === "ours-embedded");
    const starters = names.map((name) => () => startServer(name, { databaseServer, dataset }));
    return withServers(starters, async (servers) => {
      const faults: string[] = [];
      const targets: Target[] = [];
      const rows: (string | number)[][] = [];
      for (const { name, url, tokenOf, cpu } of servers) {
        const devices = Array.from({ length: people }, (_, index) => ({
          token: tokenOf(index + 1),
          chats: chatsKnownTo(index + 1),
        }));
        const load = await prepareLoad<SyncJob, SyncResult>("./sync-process.ts", { url, devices });
        const before = cpu();
        const { readyMs, messages, rejections } = await load.run();
        const after = cpu();
        await load.close();
        const rejected = Object.values(rejections).reduce((sum, count) => sum + count, 0);
        const expected = people * groupsOfPerson * missed;
        if (messages !== expected) faults.push(`${name}: ${messages} messages were received, not ${expected}`);
        rows.push([
          name,
          quantile(readyMs, 0.5) / 1000,
          quantile(readyMs, 1) / 1000,
          (after.server - before.server) / people,
          (after.database - before.database) / people,
          rejected,
        ]);
        targets.push({ name: `rejections, ${name}`, measured: rejected, limit: 0 });
      }
      const columns = [
        "",
        "half ready, s",
        "all ready, s",
        "server CPU ms each",
        "database CPU ms each",
        "rejected at first",
      ];
      return [{ title: `sync: ${people} devices reconnect at once`, columns, rows, targets, faults }];
    });
  },
};
