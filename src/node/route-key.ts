import type { Name } from '../name/index.js';

/** A name as the {@link Router} knows it; equal for equal numbers. Not for people. */
export interface RouteKey {
  /** The three hash words. */
  readonly prefix: string;
  /** The id word. */
  readonly id: string;
}

/** The id key of names that mean any instance. */
export const ANY_ID = '\uffff\uffff\uffff\uffff';

/** The key of a word that is 0, as an absent one is. */
export const ZERO_WORD = '\0\0\0\0';

/** The key of a name that came through the codec. */
export function routeKey(name: Name): RouteKey {
  const [org, namespace, app] = name.hashes;
  return { prefix: bigKey(org) + bigKey(namespace) + bigKey(app), id: bigKey(name.id) };
}

/** A 64-bit number, given as two unsigned halves, as four UTF-16 units: short, cheap to make, and a fast map key. */
export function wordKey(low: number, high: number): string {
  return String.fromCharCode(high >>> 16, high & 0xffff, low >>> 16, low & 0xffff);
}

function bigKey(word: bigint): string {
  return wordKey(Number(word & 0xffff_ffffn), Number(word >> 32n));
}
