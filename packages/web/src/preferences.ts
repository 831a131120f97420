import { effect, signal } from "@preact/signals";
import { messenger } from "./messenger.ts";

export type Theme = "system" | "light" | "dark";

/** What this device has of a setting. If the browser forbids storage, it lasts as long as the page. */
function preference<T extends string>(key: string, values: readonly [T, ...T[]]) {
  const read = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const stored = read();
  const current = signal<T>(values.find((value) => value === stored) ?? values[0]);
  effect(() => {
    const { value } = current;
    try {
      localStorage.setItem(key, value);
    } catch {
      // It lasts as long as the page.
    }
  });
  return current;
}

const themes = ["system", "light", "dark"] as const;
const switches = ["off", "on"] as const;

export const theme = preference<Theme>("theme", [...themes]);
/** Of this device only: each browser asks for a permission of its own. */
export const notifications = preference("notifications", [...switches]);
export const sound = preference("sound", [...switches]);

export function setTheme(value: Theme): void {
  theme.value = value;
  share({ theme: value });
}

export function setSound(value: (typeof switches)[number]): void {
  sound.value = value;
  share({ sound: value });
}

/** Keeps preferences for the user's other devices. Without a log-in, or if the server refuses it, they stay on this one. */
const share = (changes: { theme?: string; sound?: string }): void =>
  void messenger.setPreferences(changes).catch(() => {});

messenger.preferences.subscribe((preferences) => {
  const stored = Object(preferences) as { theme?: unknown; sound?: unknown };
  theme.value = themes.find((value) => value === stored.theme) ?? theme.peek();
  sound.value = switches.find((value) => value === stored.sound) ?? sound.peek();
});

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
