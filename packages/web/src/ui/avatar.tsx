const colours = 8;

/** The initials of a person or group, on a colour that stays the same. */
export function Avatar({
  name,
  id,
  size = "medium",
}: {
  name: string;
  id: number;
  size?: "small" | "medium" | "large";
}) {
  return (
    <span class={`avatar avatar-${size} avatar-${id % colours}`} aria-hidden="true">
      {initials(name)}
    </span>
  );
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
