import { lazy } from "./ui/lazy.tsx";

/* What is not needed to chat, each part in a file of its own. */

export const LinkPages = lazy(async () => (await import("./links/link-pages.tsx")).LinkPages);
export const PendingEmailBanner = lazy(
  async () => (await import("./pending-email-banner.tsx")).PendingEmailBanner,
  () => null,
);
export const MentionsDialog = lazy(async () => (await import("./mentions/mentions-dialog.tsx")).MentionsDialog);
export const AdministrationPage = lazy(
  async () => (await import("./administration/administration-page.tsx")).AdministrationPage,
);
export const FoundMessages = lazy(async () => (await import("./search/found-messages.tsx")).FoundMessages);
export const ChatSearchDialog = lazy(async () => (await import("./search/chat-search-dialog.tsx")).ChatSearchDialog);
const importSettings = () => import("./settings/settings-page.tsx");
export const SettingsPage = lazy(async () => (await importSettings()).SettingsPage);
const importChatMenu = () => import("./chat/chat-menu.tsx");
export const ChatMenu = lazy(async () => (await importChatMenu()).ChatMenu);
export const GroupInfo = lazy(async () => (await import("./chat/group-info.tsx")).GroupInfo);
export const NewChatDialog = lazy(async () => (await import("./chats/new-chat-dialog.tsx")).NewChatDialog);
export const InvitePage = lazy(async () => (await import("./invite-page.tsx")).InvitePage);
export const ReadersDialog = lazy(async () => (await import("./chat/readers-dialog.tsx")).ReadersDialog);
export const ReactionsDialog = lazy(async () => (await import("./chat/reactions-dialog.tsx")).ReactionsDialog);
export const Registration = lazy(async () => (await import("./registration.tsx")).Registration);
export const CropDialog = lazy(async () => (await import("./avatars/crop-dialog.tsx")).CropDialog);
export const ChatSwitcher = lazy(async () => (await import("./chats/chat-switcher.tsx")).ChatSwitcher);

/** Loads what is needed without a connection as well. */
export const preloadPages = (): void => void Promise.all([importSettings(), importChatMenu()]).catch(() => {});
