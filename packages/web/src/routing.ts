import { computed, signal } from "@preact/signals";

const path = signal(location.pathname);
/** Behind "#": the token of a link, which browsers send to no server. */
const fragment = signal(location.hash.slice(1));

// Also after a change of the fragment alone.
addEventListener("popstate", () => {
  path.value = location.pathname;
  fragment.value = location.hash.slice(1);
});

/** What the address of the page shows. */
export type Route =
  | { page: "chats" }
  | { page: "chat"; chatId: number }
  | { page: "dialog"; userId: number }
  | { page: "settings" }
  | { page: "administration"; section: string }
  | { page: "register" }
  | { page: "forgotten-password" }
  | { page: LinkedPage; token: string };

/** Pages that links with a token lead to. */
type LinkedPage = "invite" | "setup" | "reset" | "verify";

/** Pages about an account that need not be the one that is logged in here. */
const pagesForEverybody: readonly string[] = ["reset", "verify", "forgotten-password"];

export const route = computed<Route>(() => {
  const [, page, id = ""] = path.value.split("/");
  if (page === "settings") return { page };
  if (page === "administration") return { page, section: id };
  if (page === "register" || page === "forgotten-password") return { page };
  if (page === "invite" || page === "setup" || page === "reset" || page === "verify")
    return { page, token: fragment.value };
  if (page !== "chats") return { page: "chats" };
  if (/^\d{1,15}$/.test(id)) return { page: "chat", chatId: Number(id) };
  const userId = /^user-(\d{1,15})$/.exec(id)?.[1];
  return userId === undefined ? { page: "chats" } : { page: "dialog", userId: Number(userId) };
});

/** Whether the page is shown in the same way to people who are logged in. */
export const isForEverybody = computed(() => pagesForEverybody.includes(route.value.page));

export const chatPath = (chat: { id: number | undefined; peer?: { id: number } | undefined }): string =>
  chat.id === undefined ? `/chats/user-${chat.peer?.id}` : `/chats/${chat.id}`;

/** Goes to another page of the client. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (to === location.pathname) return;
  if (options.replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  path.value = to;
  fragment.value = "";
}

/** Goes on after the log-in: to the chat that a link has named, or to the list. */
export function showChats(): void {
  const { page } = route.value;
  if (page !== "chat" && page !== "dialog") navigate("/", { replace: true });
}

/** Follows links to pages of the client without loading them anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.origin !== location.origin || link.target || link.pathname.startsWith("/api")) return;
  event.preventDefault();
  navigate(link.pathname);
}
