import { Device } from "../support/device.ts";
import type { Account } from "./run.ts";

/** Two people who chat while others make trouble, and what each heard of the other. */
export class HealthyPair {
  private said = 0;
  private over = false;
  private readonly talking: Promise<void>;

  private constructor(
    private readonly people: readonly { account: Account; device: Device }[],
    private readonly atLeast: number,
  ) {
    this.talking = this.talk();
  }

  static async meet(port: number, accounts: readonly [Account, Account], atLeast: number): Promise<HealthyPair> {
    const people = await Promise.all(
      accounts.map(async (account) => {
        const headers = { authorization: `Bearer ${account.token}` };
        return { account, device: await Device.connect(`ws://127.0.0.1:${port}`, { headers }) };
      }),
    );
    return new HealthyPair(people, atLeast);
  }

  /**
   * Lets them come to an end.
   * @returns how many messages each has sent, and what was not as it should be
   */
  async part(): Promise<{ messages: number; faults: string[] }> {
    this.over = true;
    await this.talking;
    const faults: string[] = [];
    for (const [index, { device }] of this.people.entries()) {
      await device.settle();
      const other = this.people[1 - index]?.account.id;
      const heard = device
        .pushes()
        .filter(({ type, params }) => type === "privateMessage" && params.item.senderId === other)
        .map(({ params }) => params.message);
      const expected = Array.from({ length: this.said }, (_, number) => `undisturbed ${number}`);
      if (JSON.stringify(heard) !== JSON.stringify(expected)) {
        faults.push(`one of the pair heard ${heard.length} of ${expected.length} messages, or not in order`);
      }
      await device.close();
    }
    return { messages: this.said, faults };
  }

  private async talk(): Promise<void> {
    while (!this.over || this.said < this.atLeast) {
      const content = `undisturbed ${this.said}`;
      await Promise.all(
        this.people.map(({ device }, index) =>
          device.request("privateMessage", { receiverId: this.people[1 - index]?.account.id ?? 0, content }),
        ),
      );
      this.said++;
    }
  }
}
