/** `burst` at once, then `amount` every `seconds`. */
export interface Rate {
  burst: number;
  amount: number;
  seconds: number;
}

/** What is limited; the name says for whom. */
export type RateLimitName =
  | "logInsPerAccount"
  | "logInsPerAccountEverywhere"
  | "logInsPerAddress"
  | "successfulLogInsPerAccount"
  | "successfulLogInsPerAddress"
  | "passwordChecksPerUser"
  | "reconnectsPerAddress"
  | "documentsPerAddress"
  | "avatarsPerAddress"
  | "mailsPerAddress"
  | "mailsPerUser"
  | "messagesPerUser"
  | "uploadsPerUser"
  | "downloadsPerUser"
  | "requestsPerUser"
  | "searchesPerUser";
