import type { Config } from "./settings.ts";

/**
 * How mails are sent: by SMTP, as files for development, or not at all. In production links need the public address: a
 * `Host` header can be anybody's.
 */
export function mailMode({ mail, server, web }: Config): "smtp" | "files" | "none" {
  const isProduction = server.environment === "production";
  if (isProduction && web.publicUrl === undefined) return "none";
  if (mail.smtpUrl !== undefined) return "smtp";
  return isProduction ? "none" : "files";
}
