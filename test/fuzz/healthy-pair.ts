import type { Account } from "../support/accounts.ts";
import { Device } from "../support/device.ts";

/** Two users who chat while others send bad input, to check that they are not affected. */
export class HealthyPair {
  private sentCount = 0;
  private isStopping = false;
  private readonly chatting: Promise<void>;

  private constructor(
    private readonly people: readonly { account: Account; device: Device }[],
    private readonly minMessages: number,
  ) {
    this.chatting = this.chat();
  }

  /** Connects both users, who then chat until `finish`, at least for `minMessages` messages each. */
  static async start(port: number, accounts: readonly [Account, Account], minMessages: number): Promise<HealthyPair> {
    const people = await Promise.all(
      accounts.map(async (account) => {
        const headers = { authorization: `Bearer ${account.token}` };
        return { account, device: await Device.connect(`ws://127.0.0.1:${port}`, { headers }) };
      }),
    );
    return new HealthyPair(people, minMessages);
  }

  /**
   * Stops the chat.
   * @returns the number of messages each user sent, and the deviations from what each should have received
   */
  async finish(): Promise<{ messages: number; faults: string[] }> {
    this.isStopping = true;
    await this.chatting;
    const faults: string[] = [];
    for (const [index, { device }] of this.people.entries()) {
      await device.settle();
      const other = this.people[1 - index]?.account.id;
      const received = device
        .pushes()
        .filter(({ type, params }) => type === "privateMessage" && params.item.senderId === other)
        .map(({ params }) => params.message);
      const expected = Array.from({ length: this.sentCount }, (_, number) => `undisturbed ${number}`);
      if (JSON.stringify(received) !== JSON.stringify(expected)) {
        faults.push(
          `a user of the healthy pair received ${received.length} of ${expected.length} messages, or not in order`,
        );
      }
      await device.close();
    }
    return { messages: this.sentCount, faults };
  }

  private async chat(): Promise<void> {
    while (!this.isStopping || this.sentCount < this.minMessages) {
      const content = `undisturbed ${this.sentCount}`;
      await Promise.all(
        this.people.map(({ device }, index) =>
          device.request("privateMessage", { receiverId: this.people[1 - index]?.account.id ?? 0, content }),
        ),
      );
      this.sentCount++;
    }
  }
}
