import { useEffect, useState } from "preact/hooks";
import { messenger } from "./messenger.ts";
import { useObservable } from "./use-observable.ts";

/** Short interruptions are not shown. */
const quietMs = 800;

/** One line about what is not as it should be. */
export function Banner() {
  const text = useConnectionText();
  const { state, reason } = useObservable(messenger.connection);
  const storage = useObservable(messenger.storage);
  const isOutdated = useIsOutdated();
  return (
    <>
      <p class={text ? "banner" : "banner banner-empty"} role="status">
        {text}
      </p>
      {state === "ended" && reason === "openElsewhere" && (
        <p class="banner">
          Messenger is open in too many other places.{" "}
          <button type="button" class="link-button" onClick={() => messenger.takeOver()}>
            Use it here
          </button>
        </p>
      )}
      {(isOutdated || reason === "protocolError") && (
        <p class="banner">
          A new version is available.{" "}
          <button type="button" class="link-button" onClick={() => location.reload()}>
            Reload
          </button>
        </p>
      )}
      {storage.state === "failed" && (
        <p class="banner">
          This browser does not let Messenger store anything. Unsent messages are lost with this tab.
        </p>
      )}
    </>
  );
}

/** What to say about the connection; empty while it works. */
function useConnectionText(): string {
  const { state, retryAt } = useObservable(messenger.connection);
  const isWorking = state === "live" || state === "ended" || state === "loggedOut";
  const [isQuiet, setQuiet] = useState(true);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (isWorking) {
      setQuiet(true);
      return;
    }
    const timer = setTimeout(() => setQuiet(false), quietMs);
    return () => clearTimeout(timer);
  }, [isWorking]);
  useEffect(() => {
    if (retryAt === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [retryAt]);
  if (isWorking || isQuiet) return "";
  if (state === "syncing") return "Updating…";
  if (state === "connecting") return "Connecting…";
  if (retryAt === undefined) return "Offline… Messages are sent when you are online again.";
  const seconds = Math.max(1, Math.ceil((retryAt - now) / 1000));
  return `Offline… Next attempt in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
}

/** Whether the server has been upgraded since the page was loaded. */
function useIsOutdated(): boolean {
  const info = useObservable(messenger.info);
  const [first, setFirst] = useState(info?.version);
  useEffect(() => {
    if (first === undefined && info) setFirst(info.version);
  }, [info]);
  return first !== undefined && info !== undefined && info.version !== first;
}
