/** A group, or the dialog of two people. */
export type ChatKind = "dialog" | "group";

/** The role of a member in a group; in a dialog both are plain members. */
export type Role = "owner" | "admin" | "member";
