import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Where distributions install Chromium, the one without a window first: it takes half the time. */
const programs = [
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

const program = programs.find((path) => existsSync(path));

export const canStartChromium = program !== undefined;

/** Starts the Chromium of this machine. As root it has no sandbox, so it may only open our own pages. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: program ?? "chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
