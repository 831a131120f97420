import type { ChaosClient, Edit } from "./client.ts";
import type { LocalChat } from "./local-chat.ts";
import type { Log } from "./log.ts";

export interface RunContext {
  clients: readonly ChaosClient[];
  /** The ids of the existing groups, as far as known. */
  groups: number[];
  ports: readonly number[];
  log: Log;
  signal: AbortSignal;
  /** While true, no device starts an action. */
  isIdle: boolean;
}

export interface ActionContext extends RunContext {
  /** A random chat of the device. */
  chat: LocalChat | undefined;
  /** A random user. */
  userId: number;
  /** A random group. */
  groupId: number;
}

export type Action = (client: ChaosClient, context: ActionContext) => Promise<unknown> | undefined;

/** The mentions of a new message: usually none, sometimes of users, who may be strangers, and in groups sometimes of everybody. */
export function pickMentioned({ random }: ChaosClient, { clients }: RunContext, isGroup: boolean) {
  if (!random.chance(0.3)) return {};
  if (isGroup && random.chance(0.2)) return { mentionsAll: true as const };
  const mentionedIds = Array.from({ length: random.between(1, 3) }, () => random.pick(clients)?.userId ?? 0);
  return { mentionedIds };
}

/** The device, and sometimes all other connected devices of its user. */
export function devicesOf(client: ChaosClient, clients: readonly ChaosClient[], probability: number): ChaosClient[] {
  const isOnAll = client.random.chance(probability);
  const isOther = (other: ChaosClient) =>
    isOnAll && other !== client && other.connected && other.userId === client.userId;
  return [client, ...clients.filter(isOther)];
}

/** Edits or deletes a message. Sometimes another device of the user requests the same at the same time. */
export const revise = (
  client: ChaosClient,
  { clients }: ActionContext,
  messageId: number,
  revision: Edit | "deletion",
): Promise<unknown> => {
  return Promise.all(devicesOf(client, clients, 0.3).map((device) => device.revise(messageId, revision)));
};
