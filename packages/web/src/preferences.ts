import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

/** A setting of this device. If the browser forbids storage, it lasts as long as the page. */
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

export const theme = preference<Theme>("theme", ["system", "light", "dark"]);
export const notifications = preference("notifications", ["off", "on"]);
export const sound = preference("sound", ["off", "on"]);

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
