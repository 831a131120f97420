import type { ChaosClient } from "./client.ts";
import { fieldsOf } from "./http-requests.ts";
import type { Log } from "./log.ts";

/** Reads the avatar of a user and those of the groups that the user's device has. Nothing changes any more. */
export async function readAvatars(client: ChaosClient, port: number, log: Log): Promise<void> {
  const profile = await client.http.send(port, { method: "GET", path: "/users/me" });
  if (profile?.status !== 200) {
    log.reportViolation("unanswered", `${client.name}: the profile was answered with ${profile?.status}`);
    return;
  }
  const { avatarId = null } = fieldsOf(profile) as { avatarId?: string };
  log.avatarsRead.push({ userId: client.userId, avatarId });
  const ofGroups = [...client.replica.chats.values()].map((chat) => chat.avatarId);
  for (const id of new Set([avatarId, ...ofGroups])) {
    if (!id) continue;
    const answer = await client.http.send(port, { method: "GET", path: `/avatars/${id}` });
    const isPicture = answer?.status === 200 && answer.body.subarray(8, 12).toString() === "WEBP";
    if (!isPicture) log.reportViolation("lost", `${client.name}: the avatar ${id} was answered with ${answer?.status}`);
  }
}
