import type { InviterGroup, RegistrationPolicy } from "./registration.ts";

/** What clients may know of the server before they log in. */
export interface ServerInfo {
  name: string;
  version: string;
  /** Identifies the history of the data. */
  epoch: string;
  registration: RegistrationPolicy;
  invitesBy: InviterGroup;
  /** Whether the server sends e-mail. */
  email: boolean;
  /** The optional parts that this server has. */
  features: string[];
  limits: {
    /** Of a message, in UTF-16 units. */
    contentUnits: number;
    frameBytes: number;
    requestsInFlight: number;
    groupMembers: number;
    socketsPerUser: number;
    /** Of a file, in bytes. */
    fileBytes: number;
    filesPerMessage: number;
  };
}
