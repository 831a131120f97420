import type { BrowserContext, Locator, Page } from "playwright-core";
import { password } from "./messenger.ts";

/** A page of the web client, used as a person does: by roles and accessible names only. */
export class WebPage {
  private constructor(readonly page: Page) {}

  static of(page: Page): WebPage {
    return new WebPage(page);
  }

  /** Opens the web client in a new tab. */
  static async open(context: BrowserContext, url: string, path = "/"): Promise<WebPage> {
    const page = await context.newPage();
    await page.goto(url + path);
    return new WebPage(page);
  }

  /** Opens the web client and logs in. */
  static async logIn(context: BrowserContext, url: string, email: string): Promise<WebPage> {
    const web = await WebPage.open(context, url);
    await web.logIn(email);
    return web;
  }

  async logIn(email: string, secret = password): Promise<void> {
    // After a log-out, the settings are shown for a moment, which have such fields too.
    await this.button("Log in").waitFor();
    await this.field("E-mail").fill(email);
    await this.field("Password").fill(secret);
    await this.button("Log in").click();
    await this.chats.waitFor();
  }

  field(name: string): Locator {
    return this.page.getByLabel(name, { exact: true });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  link(name: string | RegExp): Locator {
    return this.page.getByRole("link", { name, exact: true });
  }

  get alert(): Locator {
    return this.page.getByRole("alert");
  }

  dialog(name: string): Locator {
    return this.page.getByRole("dialog", { name, exact: true });
  }

  get chats(): Locator {
    return this.page.getByRole("navigation", { name: "Chats" });
  }

  /** A row of the list of chats. */
  chat(title: string): Locator {
    return this.chats.getByRole("list").getByRole("link", { name: new RegExp(`^${escapeRegExp(title)}`) });
  }

  async openChat(title: string): Promise<void> {
    await this.chat(title).click();
    await this.log(title).waitFor();
  }

  log(title?: string): Locator {
    return this.page.getByRole("log", title === undefined ? {} : { name: title, exact: true });
  }

  /** The messages that have a text. */
  message(text: string | RegExp): Locator {
    return this.log().getByRole("article").filter({ hasText: text });
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: "Message", exact: true });
  }

  async send(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.button("Send").click();
  }

  mark(text: string, name: "Read" | "Sent" | "Sending" | "Not sent"): Locator {
    return this.message(text).getByRole("img", { name, exact: true });
  }

  /** Chooses from the actions of a message. */
  async act(text: string, action: string): Promise<void> {
    await this.message(text).hover();
    await this.message(text).getByRole("button", { name: "Message actions" }).click();
    await this.page.getByRole("menuitem", { name: action, exact: true }).click();
  }

  /** Answers a question. */
  async confirm(action: string | RegExp): Promise<void> {
    const question = this.page.getByRole("alertdialog");
    await question.getByRole("button", { name: action }).click();
    await question.waitFor({ state: "hidden" });
  }

  status(text: string | RegExp): Locator {
    return this.page.getByRole("status").filter({ hasText: text });
  }

  /** Opens a dialog with somebody. */
  async findPerson(name: string): Promise<void> {
    await this.button("New chat").click();
    const dialog = this.dialog("New chat");
    await dialog.getByRole("searchbox", { name: "Find people" }).fill(name);
    await dialog.getByRole("button", { name: new RegExp(`^${escapeRegExp(name)}`) }).click();
    await this.log(name).waitFor();
  }

  async openSettings(): Promise<void> {
    await this.link("Settings").click();
    await this.page.getByRole("heading", { name: "Settings" }).waitFor();
  }
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

export const gone = (locator: Locator): Promise<void> => locator.waitFor({ state: "hidden" });
