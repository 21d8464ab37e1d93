/** A staged object that a message of the queue tells of. */
export interface StagedObject {
  readonly table: string;
  /** `s3://bucket/key`, the key as it is. */
  readonly url: string;
  readonly bytes: number;
}

/** A message of the queue, and the staged objects that it tells of. */
export interface StagedMessage {
  /** What it is deleted or released by. */
  readonly handle: string;
  /** How often it was handed out, this time included. */
  readonly receives: number;
  readonly objects: readonly StagedObject[];
}

/** One table's objects in a load, and the handles of the messages that told of them. */
export interface PlannedTable {
  readonly objectUrls: readonly string[];
  readonly handles: readonly string[];
}

export type PlannedLoad = Readonly<Record<string, PlannedTable>>;

export interface LoadLimits {
  /** Tables of one transaction. */
  readonly tables: number;
  /** Bytes of statements of one transaction. */
  readonly bytes: number;
  /** Objects of one load. */
  readonly objects: number;
}

/**
 * After how many receives a message is suspected: something that it told of may have failed every load that it was in.
 * The queue must hand a message out at least `ALONE_FROM` times before it counts as dead, or what is fit to be loaded
 * dies with what is not.
 */
export const FEW_FROM = 3;
export const ALONE_FROM = 4;

const FEW_OBJECTS = 16;

interface OpenLoad {
  readonly tables: Map<string, { readonly urls: Set<string>; readonly handles: string[] }>;
  bytes: number;
  objects: number;
}

/**
 * Divides messages into loads, each of them one transaction: as many tables and objects together as fit. What was handed
 * out several times already is loaded with few others of its table, then alone: so one object that cannot be loaded ends up
 * with nobody but itself to hold up. A message's objects stay together; every message is in exactly one load.
 * `weigh` says how many bytes of statements a table takes.
 */
export function planLoads(
  messages: readonly StagedMessage[],
  weigh: (table: string) => number,
  limits: LoadLimits,
): readonly PlannedLoad[] {
  const fewer = { ...limits, tables: 1, objects: Math.min(FEW_OBJECTS, limits.objects) };
  const calm = messages.filter((message) => message.receives < FEW_FROM);
  const watched = messages.filter((message) => message.receives >= FEW_FROM && message.receives < ALONE_FROM);
  const suspect = messages.filter((message) => message.receives >= ALONE_FROM);
  return [
    ...pack(calm, weigh, limits),
    ...pack(watched, weigh, fewer),
    ...pack(suspect, weigh, { ...fewer, objects: 1 }),
  ];
}

/** Puts each message into the first load that has room for it. One that fits none, even an empty one, gets a load to itself. */
function pack(
  messages: readonly StagedMessage[],
  weigh: (table: string) => number,
  limits: LoadLimits,
): readonly PlannedLoad[] {
  const loads: OpenLoad[] = [];
  for (const message of messages) {
    let load = loads.find((one) => hasRoom(one, message, weigh, limits));
    if (load === undefined) {
      load = { tables: new Map(), bytes: 0, objects: 0 };
      loads.push(load);
    }
    add(load, message, weigh);
  }
  return loads.map(({ tables }) =>
    Object.fromEntries(
      [...tables].map(([table, { urls, handles }]) => [
        table,
        { objectUrls: [...urls], handles: [...new Set(handles)] },
      ]),
    ),
  );
}

function hasRoom(
  load: OpenLoad,
  message: StagedMessage,
  weigh: (table: string) => number,
  limits: LoadLimits,
): boolean {
  const fresh = newTables(load, message);
  return (
    load.tables.size + fresh.length <= limits.tables &&
    load.bytes + total(fresh, weigh) <= limits.bytes &&
    load.objects + message.objects.length <= limits.objects
  );
}

function add(load: OpenLoad, message: StagedMessage, weigh: (table: string) => number): void {
  load.bytes += total(newTables(load, message), weigh);
  for (const { table, url } of message.objects) {
    const part = load.tables.get(table) ?? { urls: new Set<string>(), handles: [] };
    load.tables.set(table, part);
    part.urls.add(url);
    part.handles.push(message.handle);
  }
  load.objects += message.objects.length;
}

function newTables(load: OpenLoad, message: StagedMessage): string[] {
  return [...new Set(message.objects.map((object) => object.table))].filter((table) => !load.tables.has(table));
}

function total(tables: readonly string[], weigh: (table: string) => number): number {
  return tables.reduce((sum, table) => sum + weigh(table), 0);
}
