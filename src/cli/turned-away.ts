import type { NodeLogEvent } from '../node/index.js';

/** For so many addresses somebody is told, then no more: the log has the rest. */
const MOST_ADDRESSES = 20;

/** Finds words for whoever runs a node about apps that it had to turn away: for each address once, whatever comes from there. */
export class TurnedAway {
  /** Where open connections come from. */
  readonly #addresses = new Map<number, string>();
  readonly #told = new Set<string>();

  /** The words, if this is to be told. */
  onEvent(event: NodeLogEvent): string | undefined {
    if (event.kind === 'connected') this.#addresses.set(event.connection, event.remote.replace(/ port \d+$/, ''));
    if (event.kind === 'disconnected') this.#addresses.delete(event.connection);
    if (event.kind !== 'turned-away') return undefined;
    const address = this.#addresses.get(event.connection) ?? 'unknown';
    if (this.#told.has(address) || this.#told.size >= MOST_ADDRESSES) return undefined;
    this.#told.add(address);
    return `turned away an app of SLIM ${event.version} at ${address}: this node speaks generation 1, SLIM 0.7 to 1.4`;
  }
}
