import helmet from "helmet";

/** Security headers of every response. None that require TLS: the proxy that terminates TLS sets those. */
export const securityHeaders = helmet({
  contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
  strictTransportSecurity: false,
});
