import type { AnyRoute } from "./route.ts";
import { adminGroupRoutes } from "./routers/admin-groups.ts";
import { adminServerRoutes } from "./routers/admin-server.ts";
import { adminUserRoutes } from "./routers/admin-users.ts";
import { authRoutes } from "./routers/auth.ts";
import { avatarRoutes } from "./routers/avatars.ts";
import { fileRoutes } from "./routers/files.ts";
import { infoRoutes } from "./routers/info.ts";
import { inviteRoutes } from "./routers/invites.ts";
import { mailedLinkRoutes } from "./routers/mailed-links.ts";
import { userRoutes } from "./routers/users.ts";

/** All documented routes, in the order in which paths are matched. */
export const routes: readonly AnyRoute[] = [
  ...infoRoutes,
  ...authRoutes,
  ...mailedLinkRoutes,
  ...avatarRoutes,
  ...userRoutes,
  ...inviteRoutes,
  ...fileRoutes,
  ...adminUserRoutes,
  ...adminGroupRoutes,
  ...adminServerRoutes,
];
