import { useEffect, useState } from "preact/hooks";
import { Icon } from "../ui/icon.tsx";

/** How long after the last key a list is searched. */
const delayMs = 250;

/** A search field. Calls `onSearch` once nothing more is typed. */
export function SearchField({ label, onSearch }: { label: string; onSearch(text: string): void }) {
  const [text, setText] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => onSearch(text.trim()), delayMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="search">
      <Icon name="search" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        maxLength={254}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </label>
  );
}

interface ChoiceProps {
  label: string;
  /** The first one is chosen at the beginning. */
  options: readonly (readonly [value: string, text: string])[];
  value: string;
  onChoose(value: string): void;
}

/** A list to choose one filter from. */
export const Choice = ({ label, options, value, onChoose }: ChoiceProps) => (
  <select class="choice" aria-label={label} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
    {options.map(([each, text]) => (
      <option key={each} value={each}>
        {text}
      </option>
    ))}
  </select>
);
