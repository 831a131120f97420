import { useState } from "preact/hooks";

const colours = 8;
/** The pictures that were loaded: they are shown at once when they are needed again. */
const loaded = new Set<string>();

interface AvatarProps {
  name: string;
  id: number;
  /** The address of the picture. */
  url?: string | undefined;
  size?: "small" | "medium" | "large";
}

/** The picture of a person or group, over the initials on a colour that stays the same. */
export function Avatar({ name, id, url, size = "medium" }: AvatarProps) {
  return (
    <span class={`avatar avatar-${size} avatar-${id % colours}`} aria-hidden="true">
      {initials(name)}
      {url && <Picture key={url} url={url} />}
    </span>
  );
}

/** Until it is loaded, and if that fails, what is below stays visible. */
function Picture({ url }: { url: string }) {
  const [isLoaded, setLoaded] = useState(loaded.has(url));
  const onLoad = () => {
    loaded.add(url);
    setLoaded(true);
  };
  return <img class={isLoaded ? "loaded" : undefined} alt="" loading="lazy" src={url} onLoad={onLoad} />;
}

function initials(name: string): string {
  const words = name
    .trim()
    .split(/\s+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const [first = name, second] = words;
  const letters = [first, second].flatMap((word) =>
    word ? ([...new Intl.Segmenter().segment(word)][0]?.segment ?? []) : [],
  );
  return letters.join("").toLocaleUpperCase();
}
