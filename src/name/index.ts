/**
 * Names of apps and channels: parse, print, hash. Pure; knows neither the wire nor sessions.
 *
 * @packageDocumentation
 */
export { hashComponent, Name, type NameId, NULL_ID } from './name.js';
