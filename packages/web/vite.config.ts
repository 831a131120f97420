import { defineConfig } from "vite";

export default defineConfig({
  base: "/",
  build: {
    outDir: "../../dist/web",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy allows no `data:` scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // The client's sources: no build of it is needed before.
  resolve: {
    alias: {
      // The longer name first: the other one is its beginning.
      "messenger-client/account": new URL("../client/src/account-entry.ts", import.meta.url).pathname,
      "messenger-client": new URL("../client/src/index.ts", import.meta.url).pathname,
    },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/auth", "/avatars", "/files", "/groups", "/users", "/invites", "^/admin/"].map((path) => [
        path,
        "http://localhost:3000",
      ]),
    ),
  },
});
