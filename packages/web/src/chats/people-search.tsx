import type { Person } from "messenger-client";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { PersonAvatar } from "../avatars/avatars.tsx";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { ErrorNote } from "../ui/error-note.tsx";
import { focusFirst } from "../ui/field.tsx";

const delayMs = 200;
const limit = 30;

export const fullName = ({ firstName, lastName }: { firstName: string; lastName: string | null }): string =>
  lastName ? `${firstName} ${lastName}` : firstName;

interface PeopleSearchProps {
  /** People who are not offered. */
  without?: ReadonlySet<number>;
  /** Those who are chosen already. */
  chosen?: readonly Person[];
  autofocus?: boolean;
  onChoose(person: Person): void;
}

/** A field that finds people by name or e-mail address, and those found. */
export function PeopleSearch({ without, chosen = [], autofocus = true, onChoose }: PeopleSearchProps) {
  const [search, setSearch] = useState("");
  const [found, setFound] = useState<readonly Person[]>();
  const [error, setError] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => focusFirst(field.current), []);
  const myId = messenger.user.value?.id;
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(async () => {
      try {
        const { data } = await messenger.people.search(search.trim(), { limit });
        if (isCurrent) setFound(data);
        if (isCurrent) setError(undefined);
      } catch (failure) {
        if (isCurrent) setError(errorText(failure));
      }
    }, delayMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [search]);
  const shown = found?.filter(({ id }) => id !== myId && !without?.has(id));
  return (
    <div class="people-search">
      <input
        type="search"
        class="dialog-search"
        aria-label="Find people"
        placeholder="Name or e-mail address"
        ref={field}
        autofocus={autofocus}
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <div class="result-list">
        {shown?.map((person) => {
          const isChosen = chosen.some(({ id }) => id === person.id);
          return (
            <button
              key={person.id}
              type="button"
              class="result"
              aria-pressed={chosen.length > 0 ? isChosen : undefined}
              onClick={() => onChoose(person)}
            >
              <PersonAvatar name={fullName(person)} userId={person.id} />
              <span dir="auto">{fullName(person)}</span>
              {isChosen && <span class="chosen">Added</span>}
            </button>
          );
        })}
      </div>
      {error && <ErrorNote>{error}</ErrorNote>}
      {!error && shown?.length === 0 && (
        <p class="empty">{search.trim() ? "Nobody has this name." : "Nobody else is here yet."}</p>
      )}
    </div>
  );
}
