import { setTimeout as wait } from "node:timers/promises";
import { ChaosClient } from "./client.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";

const devicesOf = (person: number): number => (person % 3 === 0 ? 2 : 1);

/** Registers people, some of them with two devices. */
export async function makePeople(port: number, count: number, log: Log, random: Random): Promise<ChaosClient[]> {
  const clients: ChaosClient[] = [];
  for (let person = 0; person < count; person++) {
    const response = await fetch(`http://127.0.0.1:${port}/auth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        email: `person${person}@chaos.test`,
        password: "a long sentence",
        firstName: `Person${person}`,
      }),
    });
    const session = (await response.json()) as { user: { id: number }; token: string };
    for (let device = 1; device <= devicesOf(person); device++) {
      const name = `p${person}d${device}`;
      clients.push(new ChaosClient(name, session.user.id, session.token, log, random.fork()));
    }
  }
  return clients;
}

/** Makes some groups, most people in each of them, and some of these admins. */
export async function makeGroups(clients: readonly ChaosClient[], port: number, random: Random): Promise<number[]> {
  const [first] = clients;
  if (!first || !(await first.connect(port))) throw new Error("the first person cannot connect");
  const userIds = [...new Set(clients.map(({ userId }) => userId))].filter((id) => id !== first.userId);
  const groups: number[] = [];
  for (let group = 0; group < 4; group++) {
    const made = await first.request("newGroup", { groupName: `group ${group}` });
    const groupId: number = made.params.item.groupId;
    groups.push(groupId);
    for (const userId of userIds) {
      if (random.chance(0.3)) continue;
      await first.request("addUserInGroup", { groupId, userId });
      if (random.chance(0.4)) await first.request("setMemberRole", { groupId, userId, role: "admin" });
    }
  }
  return groups;
}

/** Waits until everybody who is connected has been told what was acknowledged, without asking. */
export async function expectAllTold(clients: readonly ChaosClient[], log: Log): Promise<void> {
  const behind = () => clients.flatMap(({ connected, replica }) => (connected ? replica.behind() : []));
  if (await log.punctuality.untilAll(() => behind().length === 0)) return;
  for (const what of behind()) log.violate("late", what);
}

/** Brings every device back, settles what is unknown, and lets everybody catch up. */
export async function settle(clients: readonly ChaosClient[], ports: readonly number[]): Promise<void> {
  const connect = async (client: ChaosClient) => {
    while (!client.connected && !(await client.connect(client.random.pick(ports) ?? 0))) await wait(100);
  };
  const sayAllAgain = async (client: ChaosClient) => {
    while (client.unsettled.length > 0) {
      await connect(client);
      await Promise.all(Array.from({ length: client.unsettled.length }, () => client.sayAgain()));
    }
  };
  await Promise.all(clients.map(sayAllAgain));
  const catchUp = async (client: ChaosClient) => {
    await connect(client);
    await client.catchUp();
    client.close();
  };
  await Promise.all(clients.map(catchUp));
}
