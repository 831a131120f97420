import { type Json, LocalLocks, type Store, type Write } from "./store.ts";

const storeName = "entries";

/**
 * Keeps everything in the browser's IndexedDB. Tabs that share it take turns with Web Locks. If the browser forbids the
 * database, or it is full, what is written from then on is kept in memory only, and `messenger.storage` says so.
 * @param name the name of the database
 */
export function indexedDb(name = "messenger"): Store {
  const locks = new LocalLocks();
  let opened: Promise<IDBDatabase> | undefined;
  const open = () => {
    opened ??= openDatabase(name, () => {
      opened = undefined;
    });
    // The next call tries again.
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
  const write = async (writes: readonly Write[]): Promise<void> => {
    const database = await open();
    // Written to disk, not only to the operating system.
    const transaction = database.transaction(storeName, "readwrite", { durability: "strict" });
    const entries = transaction.objectStore(storeName);
    for (const { key, value } of writes) {
      if (value === undefined) entries.delete(key);
      else entries.put(value, key);
    }
    await completed(transaction);
  };
  const read = async <T>(request: (entries: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const database = await open();
    return settled(request(database.transaction(storeName, "readonly").objectStore(storeName)));
  };
  return {
    get: (key) => read<Json | undefined>((entries) => entries.get(key)),
    set: (key, value) => write([{ key, value }]),
    delete: (key) => write([{ key }]),
    async entries(prefix = "") {
      const database = await open();
      const entries = database.transaction(storeName, "readonly").objectStore(storeName);
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      const [keys, values] = await Promise.all([
        settled(entries.getAllKeys(range)),
        settled<Json[]>(entries.getAll(range)),
      ]);
      return keys.map((key, index) => [String(key), values[index] ?? null]);
    },
    batch: write,
    keepsBlobs: true,
    lock: <T>(lockName: string, work: () => Promise<T>): Promise<T> => {
      const whole = `${name}:${lockName}`;
      // Pages that are not served over HTTPS have no Web Locks.
      const shared = globalThis.navigator?.locks;
      if (!shared) return locks.run(whole, work);
      let isStarted = false;
      const started = shared.request(whole, () => {
        isStarted = true;
        return work();
      }) as Promise<T>;
      // Some pages are not allowed to use them.
      return started.catch((error) => {
        if (isStarted) throw error;
        return locks.run(whole, work);
      });
    },
    async close() {
      const database = await opened?.catch(() => undefined);
      database?.close();
      opened = undefined;
    },
  };
}

function openDatabase(name: string, onClose: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      // Another tab deletes the database, or the browser clears it.
      database.onversionchange = () => {
        database.close();
        onClose();
      };
      database.onclose = onClose;
      resolve(database);
    };
  });
}

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const completed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
