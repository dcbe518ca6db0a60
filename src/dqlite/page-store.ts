// Holds the pages of a database while a log is replayed, and makes the SQLite file of them.

/** Pages that were written: a base (the main part of a snapshot) and, over it, pages copied into slabs. */
export interface PageStore {
  pageSize: number | undefined;
  base: Buffer;
  /** Page number → number of its place in the slabs. */
  readonly places: Map<number, number>;
  readonly slabs: Buffer[];
  highest: number;
}

export function makePageStore(): PageStore {
  return { pageSize: undefined, base: Buffer.alloc(0), places: new Map(), slabs: [], highest: 0 };
}

const pagesPerSlab = 64;

/** Writes a page; memory grows with the pages that are really there, never with a page number. */
export function putPage(store: PageStore, pageSize: number, page: number, bytes: Buffer): void {
  store.pageSize ??= pageSize;
  let place = store.places.get(page);
  if (place === undefined) {
    place = store.places.size;
    store.places.set(page, place);
    if (place % pagesPerSlab === 0) store.slabs.push(Buffer.allocUnsafeSlow(pagesPerSlab * pageSize));
    store.highest = Math.max(store.highest, page);
  }
  const slab = store.slabs[Math.floor(place / pagesPerSlab)];
  if (slab !== undefined) bytes.copy(slab, (place % pagesPerSlab) * pageSize);
}

/** Takes the main part of a snapshot as it is; only for an empty store. */
export function setBase(store: PageStore, pageSize: number, main: Buffer): void {
  store.pageSize = pageSize;
  store.base = main;
  store.highest = main.length / pageSize;
}

export function getPage(store: PageStore, page: number): Buffer | undefined {
  const { pageSize } = store;
  if (pageSize === undefined) return undefined;
  const place = store.places.get(page);
  if (place !== undefined) {
    const at = (place % pagesPerSlab) * pageSize;
    return store.slabs[Math.floor(place / pagesPerSlab)]?.subarray(at, at + pageSize);
  }
  return page * pageSize <= store.base.length
    ? store.base.subarray((page - 1) * pageSize, page * pageSize)
    : undefined;
}

/** The page that SQLite never writes, because its locks are at byte 2^30 (sqlite.org/fileformat2.html 1.4). */
export function lockBytePage(pageSize: number): number {
  return 2 ** 30 / pageSize + 1;
}

/**
 * The SQLite file, in rollback mode, or what it lacks. Its size is the page count in page 1, as SQLite itself has
 * it: right both for servers that never shrink a database and for those that do (dqlite 1.17.3, 1.18.2).
 * The store must not be used afterwards.
 */
export function makeImage(store: PageStore, lock = lockBytePage(store.pageSize ?? 4096)): Buffer | string {
  const { pageSize } = store;
  const header = getPage(store, 1);
  if (pageSize === undefined || header === undefined)
    return store.highest === 0 ? emptyImage() : 'page 1 is missing';
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    return 'page 1 is not the beginning of an SQLite database';
  const written = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  if (written !== pageSize) return `page 1 says pages of ${written} bytes, but they have ${pageSize}`;
  const size = pageCount(header, store.highest);
  const missing = firstMissing(store, size, lock);
  if (missing !== undefined) return `page ${missing} of ${size} is missing`;
  // The main part of a snapshot is often the whole database already, and need not be there twice.
  const fromBase = Math.min(store.base.length, size * pageSize);
  const inPlace = fromBase === size * pageSize;
  const image = inPlace ? store.base.subarray(0, fromBase) : Buffer.allocUnsafeSlow(size * pageSize);
  if (!inPlace) store.base.copy(image, 0, 0, fromBase);
  if (size >= lock && fromBase < lock * pageSize) image.fill(0, (lock - 1) * pageSize, lock * pageSize);
  for (const page of store.places.keys())
    if (page <= size) getPage(store, page)?.copy(image, (page - 1) * pageSize);
  // The pages say "WAL mode"; a file on its own must say "rollback", or it cannot be opened read-only.
  image[18] = 1;
  image[19] = 1;
  return image;
}

/** The count in the header is valid when it was written together with the change counter. */
function pageCount(header: Buffer, highest: number): number {
  if (header.readUInt32BE(24) !== header.readUInt32BE(92)) return highest;
  return header.readUInt32BE(28) || 1;
}

function knownPages(store: PageStore, size: number): number {
  const inBase = Math.min(size, store.base.length / (store.pageSize ?? 1));
  let known = inBase;
  for (const page of store.places.keys()) if (page > inBase && page <= size) known += 1;
  return known;
}

/** Counting first keeps a hostile page count from costing time. */
function firstMissing(store: PageStore, size: number, lock: number): number | undefined {
  if (knownPages(store, size) >= size) return undefined;
  for (let page = 1; page <= size; page += 1)
    if (page !== lock && getPage(store, page) === undefined) return page;
  return undefined;
}

/** An empty database of one page, as SQLite makes it before the first table. */
function emptyImage(): Buffer {
  const page = Buffer.alloc(4096);
  page.write('SQLite format 3\0', 'latin1');
  page.writeUInt16BE(4096, 16);
  page.set([1, 1, 0, 64, 32, 32], 18);
  page.writeUInt32BE(1, 28);
  page.writeUInt32BE(4, 44);
  page.writeUInt32BE(1, 56);
  page.set([13, 0, 0, 0, 0, 16, 0], 100);
  return page;
}
