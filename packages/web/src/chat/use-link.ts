import { useEffect, useState } from "preact/hooks";
import { messenger } from "../messenger.ts";

/** A link to a file. `renew` makes another one, a few times, after it did not work. */
export function useLink(id: string, size?: 320 | 640): { url: string | undefined; renew(): void } {
  const [url, setUrl] = useState<string>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isGone = false;
    messenger.files
      .url(id, size ? { size } : {})
      .then((made) => isGone || setUrl(made))
      .catch(() => {});
    return () => {
      isGone = true;
    };
  }, [id, size, attempt]);
  return { url, renew: () => setAttempt((before) => Math.min(before + 1, 3)) };
}
