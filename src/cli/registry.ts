import type { Command } from "./command.ts";
import { backup } from "./commands/backup.ts";
import { configCommand } from "./commands/config.ts";
import { copyDataCommand } from "./commands/copy-data.ts";
import { doctor } from "./commands/doctor.ts";
import { fsck } from "./commands/fsck.ts";
import { createInvite } from "./commands/invites-create.ts";
import { listInvites } from "./commands/invites-list.ts";
import { revokeInvite } from "./commands/invites-revoke.ts";
import { newEpoch } from "./commands/new-epoch.ts";
import { reindex } from "./commands/reindex.ts";
import { restore } from "./commands/restore.ts";
import { revokeSessions } from "./commands/sessions-revoke.ts";
import { setupLink } from "./commands/setup-link.ts";
import { createUser } from "./commands/users-create.ts";
import { deleteUser } from "./commands/users-delete.ts";
import { grantAdmin } from "./commands/users-grant-admin.ts";
import { listUsers } from "./commands/users-list.ts";
import { resetUserPassword } from "./commands/users-reset-password.ts";
import { resumeUser } from "./commands/users-resume.ts";
import { revokeAdmin } from "./commands/users-revoke-admin.ts";
import { showUser } from "./commands/users-show.ts";
import { suspendUser } from "./commands/users-suspend.ts";

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  configCommand,
  doctor,
  setupLink,
  fsck,
  backup,
  restore,
  reindex,
  listUsers,
  showUser,
  createUser,
  suspendUser,
  resumeUser,
  deleteUser,
  resetUserPassword,
  createInvite,
  listInvites,
  revokeInvite,
  grantAdmin,
  revokeAdmin,
  revokeSessions,
  newEpoch,
];

/** Commands that other processes ask the server for, without a name on the command line. */
export const internalCommands: readonly Command[] = [copyDataCommand];
