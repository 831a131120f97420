import { join } from "node:path";
import { FolderTransport } from "./folder-transport.ts";
import { SmtpTransport } from "./smtp-transport.ts";
import type { MailTransport } from "./transport.ts";

/** The sender where no address is set, which only development allows. */
const developmentAddress = "messenger@localhost";

/** Opens what sends the mails; undefined if none are sent. */
export function openMailTransport(options: {
  mode: "smtp" | "files" | "none";
  smtpUrl: string | undefined;
  /** Its folder `mail` gets the files. */
  dataDir: string;
  from: { name: string; address: string | undefined };
}): MailTransport | undefined {
  const { mode, smtpUrl, dataDir, from } = options;
  const sender = { name: from.name, address: from.address ?? developmentAddress };
  if (mode === "none") return undefined;
  if (mode === "smtp" && smtpUrl !== undefined) return new SmtpTransport(smtpUrl, sender);
  return new FolderTransport(join(dataDir, "mail"), sender);
}
