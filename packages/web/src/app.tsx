import { useEffect, useState } from "preact/hooks";
import { ChatView } from "./chat/chat-view.tsx";
import { forgetDrafts } from "./chat/drafts.ts";
import { ChatList } from "./chats/chat-list.tsx";
import { useSwitcher } from "./chats/use-switcher.ts";
import { Banner } from "./connection-banner.tsx";
import { AdministrationPage, ChatSwitcher, PendingEmailBanner, preloadPages, SettingsPage } from "./lazy-pages.tsx";
import { LogIn } from "./log-in.tsx";
import { messenger } from "./messenger.ts";
import { useNotifications } from "./notifications.ts";
import { isOnlyForLinks } from "./only-for-links.ts";
import { followLinks, isForEverybody, navigate, route } from "./routing.ts";
import { Announcer } from "./ui/announcer.tsx";
import { Notice, showNotice } from "./ui/notice.tsx";
import { useObservable } from "./use-observable.ts";

/** When the pages that are needed without a connection are loaded, in milliseconds after the chats are shown. */
const preloadDelayMs = 15_000;

/** The whole page. */
export function App() {
  const [isReady, setReady] = useState(false);
  const user = useObservable(messenger.user);
  const { reason } = useObservable(messenger.connection);
  useEffect(() => {
    void start().finally(() => setReady(true));
    document.addEventListener("click", followLinks);
  }, []);
  useEffect(() => {
    if (isReady && !user) forgetDrafts();
  }, [isReady, user]);
  if (!isReady && !user) return null;
  if (!user || isOnlyForLinks || isForEverybody.value) return <LogIn notice={endNotices[reason ?? ""]} />;
  return <Messages key={user.id} />;
}

/** Goes on with the stored session. */
async function start(): Promise<void> {
  if (isOnlyForLinks) return;
  const isLoggedIn = await messenger.resume();
  const { page } = route.value;
  if (!isLoggedIn || (page !== "invite" && page !== "setup")) return;
  navigate("/", { replace: true });
  const link = page === "invite" ? "invite" : "link";
  showNotice(`You already have an account here. To use the ${link} for another one, log out first.`);
}

const endNotices: Readonly<Record<string, string>> = {
  sessionEnded: "Your session has ended. Log in again.",
  accountDeleted: "This account was deleted.",
};

function Messages() {
  const { page } = route.value;
  const switcher = useSwitcher();
  const name = useObservable(messenger.info)?.name ?? "Messenger";
  useNotifications();
  useEffect(() => {
    const timer = setTimeout(preloadPages, preloadDelayMs);
    return () => clearTimeout(timer);
  }, []);
  const user = useObservable(messenger.user);
  const isChat = page === "chat" || page === "dialog";
  const isList = !isChat && page !== "settings" && page !== "administration";
  return (
    <main class={`layout ${isList ? "shows-list" : "shows-page"}`}>
      <h1 class="visually-hidden">{name}</h1>
      {user?.pendingEmail && <PendingEmailBanner />}
      <ChatList />
      <div class="page">
        <Banner />
        <Page />
      </div>
      {switcher.isOpen && <ChatSwitcher onClose={switcher.close} />}
      <Notice />
      <Announcer />
    </main>
  );
}

function Page() {
  const { page } = route.value;
  if (page === "settings") return <SettingsPage />;
  if (page === "administration") return <AdministrationPage />;
  return page === "chat" || page === "dialog" ? <OpenChat /> : <Welcome />;
}

function OpenChat() {
  const current = route.value;
  if (current.page === "chat") return <ChatView key={current.chatId} chat={messenger.chat(current.chatId)} />;
  if (current.page === "dialog") {
    const chat = messenger.dialogWith(current.userId);
    return <ChatView key={`user ${current.userId}`} chat={chat} />;
  }
  return null;
}

function Welcome() {
  const chats = useObservable(messenger.chats);
  return (
    <div class="welcome">
      <p>{chats.length === 0 ? "Find somebody to write to with the + button." : "Choose a chat."}</p>
      <p class="hint">
        <kbd>Ctrl</kbd> <kbd>K</kbd> finds a chat
      </p>
    </div>
  );
}
