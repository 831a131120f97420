import type { AnyRoute } from "./route.ts";
import { authRoutes } from "./routers/auth.ts";
import { infoRoutes } from "./routers/info.ts";
import { inviteRoutes } from "./routers/invites.ts";
import { userRoutes } from "./routers/users.ts";

/** All documented routes, in the order in which paths are matched. */
export const routes: readonly AnyRoute[] = [...infoRoutes, ...authRoutes, ...userRoutes, ...inviteRoutes];
