import { days, group } from "../setting.ts";

export const administrationSettings = group(
  { title: "Administration" },
  {
    auditRetentionMs: days(
      "AUDIT_DAYS",
      [1, 3650],
      365,
      "How long it is recorded what administrators have done; see docs/operations/administration.md.",
    ),
  },
);
