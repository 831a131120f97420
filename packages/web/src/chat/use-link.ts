import { useEffect, useState } from "preact/hooks";
import { messenger } from "../messenger.ts";

/** A link to a file. `renew` makes another one, a few times, after it did not work. */
export function useLink(id: string, size?: 320 | 640): { url: string | undefined; renew(): void } {
  const [made, setMade] = useState<{ id: string; url: string | undefined }>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isGone = false;
    messenger.files
      .url(id, { isNew: attempt > 0, ...(size && { size }) })
      .then((url) => isGone || setMade({ id, url }))
      .catch(() => {});
    return () => {
      isGone = true;
    };
  }, [id, size, attempt]);
  return {
    // Not that of the file before.
    url: made?.id === id ? made.url : undefined,
    renew: () => setAttempt((before) => Math.min(before + 1, 3)),
  };
}
