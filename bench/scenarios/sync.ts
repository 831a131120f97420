import { enter, withContestants } from "../servers.ts";
import { prepareLoad } from "../load/load.ts";
import type { SyncJob, SyncResult } from "../load/sync-process.ts";
import type { Scenario } from "../scenario.ts";
import { quantile } from "../statistics.ts";
import type { Target } from "../table.ts";
import type { World } from "../dataset.ts";

const membersOfGroup = 50;
const groupsOfPerson = 5;
const messagesOfGroup = 100;
/** What a device has missed in each group. */
const missed = 10;

/** People 1 to 50 are in groups 1 to 5, people 51 to 100 in groups 6 to 10, and so on. */
const firstGroupOf = (userId: number) => Math.floor((userId - 1) / membersOfGroup) * groupsOfPerson + 1;

const worldOf = (people: number): World => {
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
  summary: "everyone comes back at once and catches up",
  run({ quick, only }, arena) {
    const people = quick ? 500 : 5000;
    const world = worldOf(people);
    const names = only.filter((name) => name === "ours" || name === "ours-embedded");
    const starts = names.map((name) => () => enter(name, { arena, world }));
    return withContestants(starts, async (contestants) => {
      const faults: string[] = [];
      const targets: Target[] = [];
      const rows: (string | number)[][] = [];
      for (const { name, url, tokenOf, cpu } of contestants) {
        const devices = Array.from({ length: people }, (_, index) => ({
          token: tokenOf(index + 1),
          chats: chatsKnownTo(index + 1),
        }));
        const load = await prepareLoad<SyncJob, SyncResult>("./sync-process.ts", { url, devices });
        const before = cpu();
        const { readyMs, messages, refusals } = await load.run();
        const after = cpu();
        await load.close();
        const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
        const due = people * groupsOfPerson * missed;
        if (messages !== due) faults.push(`${name}: ${messages} messages were told, not ${due}`);
        rows.push([
          name,
          quantile(readyMs, 0.5) / 1000,
          quantile(readyMs, 1) / 1000,
          (after.server - before.server) / people,
          (after.database - before.database) / people,
          refused,
        ]);
        targets.push({ what: `refusals, ${name}`, measured: refused, limit: 0 });
      }
      const columns = [
        "",
        "half ready, s",
        "all ready, s",
        "server CPU ms each",
        "database CPU ms each",
        "refused at first",
      ];
      return [{ title: `sync: ${people} devices come back at once`, columns, rows, targets, faults }];
    });
  },
};
