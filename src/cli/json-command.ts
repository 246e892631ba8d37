import type { ChatCommand } from '../chat/index.js';

/** A command, or what a command must look like. */
export type ParsedCommand =
  | { readonly ok: true; readonly command: ChatCommand }
  | { readonly ok: false; readonly expected: string; readonly ref?: string };

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => string | undefined;

const isText: Check = (value) =>
  typeof value === 'string' && value.isWellFormed() ? undefined : 'a string of valid Unicode';
const isName: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'a name such as "org/ns/app"';
const isBase64: Check = (value) =>
  typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
    ? undefined
    : 'a string of base64 with padding';
const isSession: Check = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? undefined : 'a session number';
const isMetadata: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((text) => isText(text) === undefined)
    ? undefined
    : 'an object of strings';

const COMMON = { ref: isText, session: isSession };
const FIELDS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  publish: { ...COMMON, text: isText, base64: isBase64, payloadType: isText, metadata: isMetadata, to: isName },
  invite: { ...COMMON, name: isName },
  remove: { ...COMMON, name: isName },
  who: COMMON,
  status: COMMON,
  leave: { session: isSession },
  switch: { session: isSession },
  accept: { session: isSession },
  decline: { session: isSession },
  exit: {},
};

/** Understands one line of JSON. */
export function parseJsonCommand(line: string): ParsedCommand {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // What is wrong with it does not matter: it is no JSON.
    return { ok: false, expected: 'a JSON object' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, expected: 'a JSON object' };
  }
  const fields = value as Fields;
  const expected = complaint(fields);
  if (expected === undefined) return { ok: true, command: toCommand(fields) };
  return { ok: false, expected, ...(isText(fields['ref']) === undefined && { ref: fields['ref'] as string }) };
}

function complaint(fields: Fields): string | undefined {
  const { type } = fields;
  const known = typeof type === 'string' && Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
  if (known === undefined) return `"type" to be one of ${Object.keys(FIELDS).join(', ')}`;
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'type') continue;
    const check = Object.hasOwn(known, key) ? known[key] : undefined;
    if (check === undefined) {
      const names = Object.keys(known);
      return `${names.length === 0 ? 'no other field' : `only the fields ${names.join(', ')}`} with "type":"${String(type)}"`;
    }
    const problem = check(value);
    if (problem !== undefined) return `"${key}" to be ${problem}`;
  }
  if ('name' in known && !('name' in fields)) return '"name"';
  if (type === 'switch' && !('session' in fields)) return '"session"';
  if (type === 'publish' && 'text' in fields === 'base64' in fields) return 'either "text" or "base64"';
  return undefined;
}

// Every field has been checked, so the casts tell the compiler what is so.
function toCommand(fields: Fields): ChatCommand {
  const { base64, ...rest } = fields;
  const bytes = typeof base64 === 'string' ? { bytes: Uint8Array.from(Buffer.from(base64, 'base64')) } : {};
  return { ...rest, ...bytes } as unknown as ChatCommand;
}
