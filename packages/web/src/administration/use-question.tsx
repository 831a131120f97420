import { MessengerError } from "messenger-client";
import { useState } from "preact/hooks";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { Confirmation } from "../ui/dialog.tsx";
import { showNotice } from "../ui/notice.tsx";

interface Question {
  title: string;
  text: string;
  /** Of the button: begins with the verb. */
  action: string;
  isDangerous?: boolean;
  run(): Promise<unknown>;
}

/** Asks before an action, and says why it failed. */
export function useQuestion() {
  const [question, setQuestion] = useState<Question>();
  const element = question && (
    <Confirmation {...question} onConfirm={() => void report(question.run())} onClose={() => setQuestion(undefined)} />
  );
  return { ask: (next: Question) => setQuestion(next), question: element };
}

async function report(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    showNotice(errorText(error));
    // Perhaps the user is no administrator any more.
    if (error instanceof MessengerError && error.code === "FORBIDDEN") await messenger.updateProfile().catch(() => {});
  }
}
