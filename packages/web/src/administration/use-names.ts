import { useEffect, useState } from "preact/hooks";
import { fullName } from "../chats/people-search.tsx";
import { messenger } from "../messenger.ts";

/** The names of accounts, which are read where they are not known. */
export function useNames(ids: readonly (number | null)[]): (id: number) => string {
  const [, setReads] = useState(0);
  const missing = [...new Set(ids)].filter((id) => id !== null).filter((id) => !messenger.people.get(id));
  useEffect(() => {
    if (missing.length === 0) return;
    messenger.people.load(missing).then(
      () => setReads((reads) => reads + 1),
      () => {}, // The numbers are shown.
    );
  }, [missing.join()]);
  return (id) => {
    const person = messenger.people.get(id);
    return person ? fullName(person) : `account ${id}`;
  };
}
