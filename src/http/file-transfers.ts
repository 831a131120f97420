import type { IncomingMessage } from "node:http";

const uploadPath = /^\/files\/[^/]+\/content$/;
const downloadPath = /^\/files\/[^/]+$/;

/**
 * Whether a request carries the content of a file, one way or the other. It may take as long as it makes progress.
 * @param path in its normal form
 */
export function isFileTransfer(method: string | undefined, path: string): boolean {
  return isFileUpload(method, path) || (method === "GET" && downloadPath.test(path));
}

export const isFileUpload = (method: string | undefined, path: string): boolean =>
  method === "PUT" && uploadPath.test(path);

/** The path of a request that has not been brought into its normal form. */
export const rawPathOf = ({ url = "" }: IncomingMessage): string => url.split("?")[0] ?? "";
