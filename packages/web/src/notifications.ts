import { type ChatSummary, isAlert, isMentioned, type Message } from "messenger-client";
import { useEffect } from "preact/hooks";
import { previewOf } from "./chat/plain-text.ts";
import { messenger } from "./messenger.ts";
import { notifications, sound } from "./preferences.ts";
import { chatPath, navigate, route } from "./routing.ts";
import { announce } from "./ui/announcer.tsx";

/** The number of unread messages in the title of the page, and notifications of new ones. */
export function useNotifications(): void {
  useEffect(() => {
    const endTitle = messenger.chats.subscribe((chats) => {
      const unread = chats.reduce((sum, chat) => sum + chat.badge, 0);
      const name = messenger.info.value?.name ?? "Messenger";
      document.title = unread > 0 ? `(${unread}) ${name}` : name;
    });
    const endMessages = messenger.on("message", ({ chat, message }) => {
      if (message.isMine || message.notification) return;
      const summary = chat.summary.value;
      if (isAlert(summary, isMentioned(message, messenger.user.value?.id))) notify(summary, message);
    });
    return () => {
      endTitle();
      endMessages();
    };
  }, []);
}

function notify(chat: ChatSummary, message: Message): void {
  const current = route.value;
  const isOpen = current.page === "chat" && current.chatId === chat.id && document.hasFocus();
  const text = `${message.senderName}: ${previewOf(message)}`;
  if (!isOpen) announce(chat.kind === "group" ? `${chat.title}: ${text}` : text);
  if (document.hasFocus()) return;
  if (sound.value === "on") beep();
  if (notifications.value !== "on" || !("Notification" in window) || Notification.permission !== "granted") return;
  const notification = new Notification(chat.title, { body: text.slice(0, 200), tag: String(chat.id) });
  notification.onclick = () => {
    focus();
    navigate(chatPath(chat));
    notification.close();
  };
}

let audio: AudioContext | undefined;

/** A short tone, made here so that no file has to be loaded. */
function beep(): void {
  audio ??= new AudioContext();
  const [oscillator, gain] = [audio.createOscillator(), audio.createGain()];
  const end = audio.currentTime + 0.18;
  oscillator.frequency.value = 660;
  gain.gain.setValueAtTime(0.08, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.001, end);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start();
  oscillator.stop(end);
}
