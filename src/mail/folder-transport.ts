import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mail } from "../domain/mail.ts";
import { messageOptions } from "./message.ts";
import { MailError, type MailTransport, type Sender } from "./transport.ts";

/** Writes mails into a folder, for development. Mail programs open the files. */
export class FolderTransport implements MailTransport {
  constructor(
    private readonly folder: string,
    private readonly from: Sender,
  ) {}

  async send(mail: Mail): Promise<void> {
    // Loaded with the first mail, to start faster.
    const { createTransport } = await import("nodemailer");
    const composer = createTransport({ streamTransport: true, buffer: true });
    const { message } = await composer.sendMail(messageOptions(mail, this.from));
    const name = `${new Date().toISOString().replaceAll(":", "-")}-${randomUUID()}.eml`;
    const path = join(this.folder, name);
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      // Renamed, so that a file with this ending is complete.
      await writeFile(`${path}.part`, message, { mode: 0o600 });
      await rename(`${path}.part`, path);
    } catch (error) {
      throw new MailError(`${(error as NodeJS.ErrnoException).code} ${this.folder}`);
    }
  }
}
