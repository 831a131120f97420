import { type FinalState, memberKey, type StoredMessage } from "./final-state.ts";
import type { FileRead, Log } from "./log.ts";
import type { UploadedFile } from "./uploads.ts";

/** Describes how an acknowledged upload was lost; undefined if it is stored, or was in a message and may be deleted. */
export function lostUpload({ files }: FinalState, { id, sha256, isSent }: UploadedFile): string | undefined {
  const stored = files.get(id);
  if (!stored) return isSent ? undefined : "was uploaded, never sent, and is not stored";
  return stored.sha256 === sha256 ? undefined : `was uploaded with the digest ${sha256} and has ${stored.sha256}`;
}

/** No acknowledged upload is lost. */
export function checkUploads(finalState: FinalState, uploads: readonly UploadedFile[], log: Log): void {
  for (const upload of uploads) {
    const lost = lostUpload(finalState, upload);
    if (lost) log.reportViolation("lost", `file ${upload.id} ${lost}`);
  }
}

/** Each user can read the files of the messages that the user sees, as they were uploaded, and no other file. */
export function checkFilesRead(finalState: FinalState, log: Log): void {
  const messages = new Map<string, StoredMessage[]>();
  for (const row of finalState.rows) {
    for (const id of row.files ?? []) messages.set(id, [...(messages.get(id) ?? []), row]);
  }
  for (const read of log.filesRead) {
    const { userId, fileId, sha256 } = read;
    const isReadable = mayRead(finalState, read, messages.get(fileId) ?? []);
    const describe = (details: string) => `user ${userId}: file ${fileId} ${details}`;
    if (isReadable && sha256 === undefined) log.reportViolation("lost", describe("cannot be read"));
    else if (!isReadable && sha256 !== undefined) log.reportViolation("leak", describe("can be read"));
    else if (sha256 !== undefined && sha256 !== log.uploads.get(fileId)?.sha256) {
      log.reportViolation("lost", describe(`is read with the digest ${sha256}`));
    }
  }
}

/** Whether a file is in a message that the user sees, or is the user's own and was in no message yet. */
function mayRead(
  { chats, members, files }: FinalState,
  { userId, fileId }: FileRead,
  messages: readonly StoredMessage[],
): boolean {
  const file = files.get(fileId);
  if (file?.sha256 == null) return false;
  if (file.ownerId === userId && !file.isClaimed) return true;
  return messages.some(({ chatId, seq, deletedAt }) => {
    const member = members.get(memberKey(userId, chatId));
    return member && !chats.get(chatId)?.isDeleted && deletedAt === null && seq > member.clearedSeq;
  });
}
