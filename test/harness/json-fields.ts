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

/** `org/ns/app` of a name with or without id. */
export function baseName(name: string): string {
  return name.split('/').slice(0, 3).join('/');
}

/** A field that is a list of names, without ids; empty when it is no list. */
export function names(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string').map(baseName) : [];
}
