/** The database behind the recordings: its tables, and IndexedDB's events as promises. Knows no recording. */

const name = "parley-recordings";
const version = 1;

export function openRecordingDatabase(): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, version);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("recordings", { keyPath: "recordingId" });
    opening.result.createObjectStore("pieces", { keyPath: ["recordingId", "firstSample"] });
  };
  return requestResult(opening).then((database) => {
    // A newer page wants to change the tables: this one lets go, and its next use of them fails.
    database.onversionchange = () => database.close();
    return database;
  });
}

export function requestResult<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failure(request.error));
  });
}

/** Resolves when everything in it is kept. */
export function transactionEnd(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(failure(transaction.error));
  });
}

function failure(error: DOMException | null): Error {
  return error ?? new Error("the browser's database failed without saying why");
}
