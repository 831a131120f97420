import type { Device } from "./device.ts";

/** Searches once everything that was stored before is indexed. */
export async function search(device: Device, query: string, options: object = {}) {
  for (;;) {
    const { params } = await device.request("searchMessages", { query, limit: 50, ...options });
    if (!params.item.behind) return params;
  }
}

/** The texts that a search finds, once everything is indexed. */
export const searchTexts = async (device: Device, query: string, options: object = {}): Promise<string[]> =>
  (await search(device, query, options)).data.map(({ message }: { message: string }) => message);
