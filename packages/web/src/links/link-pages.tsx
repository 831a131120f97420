import type { Route } from "../routing.ts";
import { ForgottenPasswordPage } from "./forgotten-password-page.tsx";
import { ResetPage } from "./reset-page.tsx";
import { SetupPage } from "./setup-page.tsx";
import { VerifyPage } from "./verify-page.tsx";

/** The pages of links, which few people ever see: loaded when they are shown. */
export function LinkPages({ current }: { current: Route }) {
  if (current.page === "setup") return <SetupPage key={current.token} token={current.token} />;
  if (current.page === "reset") return <ResetPage key={current.token} token={current.token} />;
  if (current.page === "verify") return <VerifyPage key={current.token} token={current.token} />;
  return <ForgottenPasswordPage />;
}
