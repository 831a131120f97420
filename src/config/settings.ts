import { administrationSettings } from "./groups/administration.ts";
import { backupSettings } from "./groups/backups.ts";
import { databaseSettings } from "./groups/database.ts";
import { fileSettings } from "./groups/files.ts";
import { httpSettings } from "./groups/http.ts";
import { limitSettings } from "./groups/limits.ts";
import { mailSettings } from "./groups/mail.ts";
import { metricsSettings } from "./groups/metrics.ts";
import { passwordSettings } from "./groups/passwords.ts";
import { redisSettings } from "./groups/redis.ts";
import { registrationSettings } from "./groups/registration.ts";
import { serverSettings } from "./groups/server.ts";
import { slowClientSettings } from "./groups/slow-clients.ts";
import { tokenSettings } from "./groups/tokens.ts";
import { webSettings } from "./groups/web.ts";
import type { Group, Setting } from "./setting.ts";

/** Every setting, declared once. The type `Config`, `.env.example` and docs/operations/settings.md follow from it. */
export const settings = {
  server: serverSettings,
  http: httpSettings,
  web: webSettings,
  registration: registrationSettings,
  database: databaseSettings,
  backups: backupSettings,
  files: fileSettings,
  redis: redisSettings,
  mail: mailSettings,
  tokens: tokenSettings,
  passwords: passwordSettings,
  limits: limitSettings,
  slowClients: slowClientSettings,
  administration: administrationSettings,
  metrics: metricsSettings,
};

type Infer<Node> =
  Node extends Setting<infer Value>
    ? Value
    : Node extends Group<infer Members>
      ? Infer<Members>
      : { readonly [Key in keyof Node]: Infer<Node[Key]> };

/** The value of every setting. Frozen. */
export type Config = Infer<typeof settings>;
