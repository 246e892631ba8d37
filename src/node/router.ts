import { ANY_ID, type RouteKey } from './route-key.js';

/** Why an unsubscribe changed nothing. */
export type UnsubscribeProblem = 'no-such-name' | 'not-subscribed' | 'no-such-subscription';

/** Who is subscribed to one name. */
interface Subscribers {
  /** Connection to the subscription ids it gave; every set has one at least. */
  readonly ids: Map<number, Set<bigint>>;
  /** The keys of `ids`, for picking by position. */
  readonly list: number[];
}

/** All names with one prefix. */
interface Prefix {
  readonly byId: Map<string, Subscribers>;
  /** Connection to the number of ids of this prefix it is subscribed to. */
  readonly counts: Map<number, number>;
  /** The keys of `counts`, for picking by position. */
  readonly list: number[];
  /** Position in `list` at which the next round-robin search begins. */
  nextTurn: number;
}

const NOBODY: readonly number[] = [];

/**
 * The subscription table of a node and its routing decisions. Pure: no I/O, no clock, random numbers are injected.
 *
 * Follows slim 1.4 (`st.rs:match_one`, `match_all`; data-plane.md 6.2 and 6.3): subscriptions are sets of ids, a specific id
 * never falls back to another instance, and the connection a message came from never gets it back. A publish costs time in
 * proportion to its targets, a disconnect in proportion to the subscriptions of that connection.
 */
export class Router {
  readonly #prefixes = new Map<string, Prefix>();
  /** By connection, the names it is subscribed to: prefix key to id keys. */
  readonly #members = new Map<number, Map<string, Set<string>>>();
  readonly #randomBelow: (limit: number) => number;
  #subscriptionCount = 0;

  /**
   * @param randomBelow - a random integer from 0 to `limit` - 1
   */
  constructor(randomBelow: (limit: number) => number) {
    this.#randomBelow = randomBelow;
  }

  /** Number of connections. */
  get connectionCount(): number {
    return this.#members.size;
  }

  /** Number of pairs of a connection and a name it is subscribed to. */
  get subscriptionCount(): number {
    return this.#subscriptionCount;
  }

  /**
   * Adds a connection without subscriptions. Upstream prefers apps inside the node's process for fanout 1 (`st.rs:match_one`);
   * here there are none, all come through a socket.
   */
  connect(connection: number): void {
    this.#members.set(connection, new Map());
  }

  /** Removes a connection and its subscriptions; unknown ones are ignored. */
  disconnect(connection: number): void {
    const names = this.#members.get(connection);
    if (names === undefined) return;
    this.#members.delete(connection);
    for (const [prefixKey, ids] of names) {
      const prefix = this.#prefixes.get(prefixKey);
      if (prefix === undefined) continue;
      for (const id of ids) this.#drop(prefix, id, connection);
      prefix.counts.delete(connection);
      removeFrom(prefix.list, connection);
      if (prefix.counts.size === 0) this.#prefixes.delete(prefixKey);
    }
  }

  /**
   * Subscribes a connection to a name. The same `subscriptionId` again changes nothing; 0 is an id like others.
   *
   * @returns false for an unknown connection
   */
  subscribe(connection: number, name: RouteKey, subscriptionId: bigint): boolean {
    const names = this.#members.get(connection);
    if (names === undefined) return false;
    let prefix = this.#prefixes.get(name.prefix);
    if (prefix === undefined) {
      prefix = { byId: new Map(), counts: new Map(), list: [], nextTurn: 0 };
      this.#prefixes.set(name.prefix, prefix);
    }
    let subscribers = prefix.byId.get(name.id);
    if (subscribers === undefined) {
      subscribers = { ids: new Map(), list: [] };
      prefix.byId.set(name.id, subscribers);
    }
    const known = subscribers.ids.get(connection);
    if (known !== undefined) {
      known.add(subscriptionId);
      return true;
    }
    subscribers.ids.set(connection, new Set([subscriptionId]));
    subscribers.list.push(connection);
    const count = prefix.counts.get(connection);
    if (count === undefined) prefix.list.push(connection);
    prefix.counts.set(connection, (count ?? 0) + 1);
    const ids = names.get(name.prefix);
    if (ids === undefined) names.set(name.prefix, new Set([name.id]));
    else ids.add(name.id);
    this.#subscriptionCount++;
    return true;
  }

  /**
   * Takes one subscription id back; the connection stays subscribed while it has others for the name.
   *
   * @returns why nothing changed, or undefined
   */
  unsubscribe(connection: number, name: RouteKey, subscriptionId: bigint): UnsubscribeProblem | undefined {
    const prefix = this.#prefixes.get(name.prefix);
    const subscribers = prefix?.byId.get(name.id);
    if (prefix === undefined || subscribers === undefined) return 'no-such-name';
    const known = subscribers.ids.get(connection);
    if (known === undefined) return 'not-subscribed';
    if (!known.delete(subscriptionId)) return 'no-such-subscription';
    if (known.size > 0) return undefined;

    this.#drop(prefix, name.id, connection);
    const names = this.#members.get(connection);
    const ids = names?.get(name.prefix);
    ids?.delete(name.id);
    const left = (prefix.counts.get(connection) ?? 1) - 1;
    if (left > 0) {
      prefix.counts.set(connection, left);
      return undefined;
    }
    names?.delete(name.prefix);
    prefix.counts.delete(connection);
    removeFrom(prefix.list, connection);
    if (prefix.counts.size === 0) this.#prefixes.delete(name.prefix);
    return undefined;
  }

  /**
   * The connections a publish goes to, each once; never `incoming`.
   *
   * @param fanout - 1 = one of them; anything else, 0 too, = all
   */
  route(destination: RouteKey, fanout: number, incoming: number): readonly number[] {
    const prefix = this.#prefixes.get(destination.prefix);
    if (prefix === undefined) return NOBODY;
    const isForAnyone = destination.id === ANY_ID;
    const candidates = isForAnyone ? prefix.list : (prefix.byId.get(destination.id)?.list ?? NOBODY);
    if (fanout !== 1) return candidates.filter((connection) => connection !== incoming);
    if (candidates.length === 0) return NOBODY;

    const from = isForAnyone ? prefix.nextTurn % candidates.length : this.#randomBelow(candidates.length);
    const position = this.#find(candidates, from, incoming);
    if (position === undefined) return NOBODY;
    if (isForAnyone) prefix.nextTurn = position + 1;
    const chosen = candidates[position];
    return chosen === undefined ? NOBODY : [chosen];
  }

  /** Position of the first candidate at or after `from`, in a circle, that may get the message. */
  #find(candidates: readonly number[], from: number, incoming: number): number | undefined {
    for (let step = 0; step < candidates.length; step++) {
      const position = (from + step) % candidates.length;
      const connection = candidates[position];
      if (connection !== undefined && connection !== incoming) return position;
    }
    return undefined;
  }

  /** Removes a connection from one name; the counts of the prefix are the caller's. */
  #drop(prefix: Prefix, id: string, connection: number): void {
    const subscribers = prefix.byId.get(id);
    if (subscribers?.ids.delete(connection) !== true) return;
    removeFrom(subscribers.list, connection);
    if (subscribers.ids.size === 0) prefix.byId.delete(id);
    this.#subscriptionCount--;
  }
}

/** Removes without keeping the order: the last one takes the free place. */
function removeFrom(list: number[], connection: number): void {
  const position = list.indexOf(connection);
  if (position < 0) return;
  const last = list.pop();
  if (last !== undefined && position < list.length) list[position] = last;
}
