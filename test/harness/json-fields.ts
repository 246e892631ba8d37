import type { JsonObject } from './json-process.js';

/** A string field; empty when it is missing or no string. */
export function text(line: JsonObject, field: string): string {
  const value = line[field];
  return typeof value === 'string' ? value : '';
}

/** A string field as an optional property, for spreading. */
export function optional<K extends string>(key: K, value: unknown): { readonly [P in K]?: string } {
  return (typeof value === 'string' ? { [key]: value } : {}) as { readonly [P in K]?: string };
}
