import type { Mentionable } from "./mention-text.ts";

/** The id of the list, and of each of its options, for the field that controls it. */
export const mentionListId = "mention-list";
export const mentionOptionId = (position: number): string => `mention-option-${position}`;

interface MentionListProps {
  people: readonly Mentionable[];
  /** The position of the selected one. */
  selected: number;
  onChoose(person: Mentionable): void;
}

/** The people who can be mentioned, above the field. The focus stays in the field. */
export function MentionList({ people, selected, onChoose }: MentionListProps) {
  return (
    <div id={mentionListId} role="listbox" aria-label="Mention" class="mention-list">
      {people.map((person, position) => (
        <div
          key={person.userId ?? "all"}
          id={mentionOptionId(position)}
          role="option"
          tabIndex={-1}
          aria-selected={position === selected}
          class="result"
          // The field keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onChoose(person)}
          onKeyDown={(event) => event.key === "Enter" && onChoose(person)}
        >
          <span dir="auto">@{person.name}</span>
          {person.userId === undefined && <span class="hint">everybody in this group</span>}
        </div>
      ))}
    </div>
  );
}
