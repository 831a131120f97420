import helmet from "helmet";

/** What every answer says may not be done with it. There may be no TLS: a proxy that adds it says so itself. */
export const securityHeaders = helmet({
  contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
  strictTransportSecurity: false,
});
