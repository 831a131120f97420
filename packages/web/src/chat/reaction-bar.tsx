import type { Message } from "messenger-client";
import { messenger } from "../messenger.ts";

interface ReactionBarProps {
  message: Message;
  tabIndex: number;
  react(emoji: string, on: boolean): void;
}

/** The reactions to a message: each is a button that adds or removes the own one. */
export function ReactionBar({ message, tabIndex, react }: ReactionBarProps) {
  const { reactions = [] } = message;
  if (reactions.length === 0) return null;
  return (
    <ul class="reactions" aria-label="Reactions">
      {reactions.map(({ emoji, count, userIds, mine = false }) => (
        <li key={emoji}>
          <button
            type="button"
            class="reaction"
            aria-pressed={mine}
            aria-label={`${emoji} ${count}`}
            title={namesOf(userIds, count, mine)}
            tabIndex={tabIndex}
            onClick={() => react(emoji, !mine)}
          >
            <span class="reaction-emoji">{emoji}</span>
            <span class="reaction-count">{count}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Who reacts, as far as their names are known here. */
function namesOf(userIds: readonly number[], count: number, isMine: boolean): string {
  const myId = messenger.user.value?.id;
  const others = userIds.flatMap((id) => (id === myId ? [] : (messenger.people.get(id)?.firstName ?? [])));
  const names = [...(isMine ? ["You"] : []), ...others];
  const rest = count - names.length;
  if (names.length === 0) return count === 1 ? "1 person" : `${count} people`;
  return rest > 0 ? `${names.join(", ")} and ${rest} more` : names.join(", ");
}
