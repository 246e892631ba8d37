import { readFileSync } from 'node:fs';

import { Ajv } from 'ajv';

type Schema = Record<string, unknown>;

const path = new URL('../../src/cli/json-schema.json', import.meta.url);

/** The schema as it ships: more fields may come. */
export const shipped = JSON.parse(readFileSync(path, 'utf8')) as Schema & { definitions: Record<string, Schema> };

/** No object may have a field that the schema does not name: a new field that is not documented fails a test. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  if (copy['type'] === 'object' && copy['properties'] !== undefined) copy['additionalProperties'] ??= false;
  return copy;
}

const ajv = new Ajv({ strict: true, allErrors: true, strictRequired: false, strictTypes: false });
const isEvent = ajv.compile(closed(shipped) as Schema);
const isCommand = ajv.compile({ definitions: shipped.definitions, $ref: '#/definitions/command' });

/** What is wrong with a line of our output; empty if nothing is. */
export function eventProblems(line: string): string {
  const event: unknown = JSON.parse(line);
  if (isEvent(event)) return '';
  const { type } = event as { type?: unknown };
  // The other branches of the choice complain that they are not this type; only those of its own matter.
  const branch = `#/definitions/event.${String(type)}/`;
  const own = (isEvent.errors ?? []).filter(({ schemaPath }) => schemaPath.startsWith(branch));
  return `${line}: ${ajv.errorsText(own.length > 0 ? own : isEvent.errors)}`;
}

/** Whether a line fits the schema of commands. */
export function fitsCommandSchema(line: string): boolean {
  return isCommand(JSON.parse(line));
}
