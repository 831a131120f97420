/** Something that is wrong with the set-up. */
export interface Finding {
  /** `error`: the server does not start, or does not do what it promises. */
  level: "error" | "warning";
  what: string;
  why: string;
  /** The command or setting that fixes it. */
  fix: string;
}

export const error = (what: string, why: string, fix: string): Finding => ({ level: "error", what, why, fix });

export const warning = (what: string, why: string, fix: string): Finding => ({ level: "warning", what, why, fix });

/** The finding if the condition holds. */
export const when = (condition: boolean, finding: () => Finding): Finding[] => (condition ? [finding()] : []);
