/** What the client has for Node only. */
export { file } from "./file-store.ts";
