import { sanitiseName } from './sanitise.js';

const ID = /^[0-9a-f]{1,16}$/i;

interface NameParts {
  readonly prefix: string;
  readonly app: string;
  readonly id: string | undefined;
}

// A peer may put a slash into one of the three strings, so the id and the app are read from the end.
function partsOf(name: string): NameParts {
  const parts = name.split('/');
  const last = parts.at(-1) ?? '';
  if (parts.length > 3 && ID.test(last)) {
    return { prefix: parts.slice(0, -1).join('/'), app: parts.at(-2) ?? '', id: last };
  }
  return { prefix: name, app: last, id: undefined };
}

/** A name like this would look as the mark of a line of the program does. */
const LIKE_A_MARK = /^(?:--|!!|\[)|^[^\p{L}\p{N}]+$/u;

/** The app part of a printed name, safe for a terminal; not unique. */
export function shortName(name: string): string {
  const short = sanitiseName(partsOf(name).app);
  return LIKE_A_MARK.test(short) ? `<${short}>` : short || '?';
}

/** A printed name without its id, safe for a terminal. */
export function nameWithoutId(name: string): string {
  return sanitiseParts(partsOf(name).prefix);
}

/** A printed name with its id cut to four digits, safe for a terminal: `org/ns/app/41d0...`. */
export function nameWithShortId(name: string): string {
  const { prefix, id } = partsOf(name);
  if (id === undefined) return sanitiseParts(prefix);
  return `${sanitiseParts(prefix)}/${id.length > 4 ? `${id.slice(0, 4)}...` : id}`;
}

function sanitiseParts(prefix: string): string {
  return prefix.split('/').map(sanitiseName).join('/');
}

/**
 * What to call each of some members on a screen: the app part alone, or with `#` and the first four hexadecimal digits of the
 * id (more if those are equal too) where several share it.
 *
 * @param names - printed full names
 * @returns label by printed name; labels of different names differ
 */
export function labelsOf(names: readonly string[]): ReadonlyMap<string, string> {
  const groups = new Map<string, string[]>();
  for (const name of new Set(names)) {
    const label = shortName(name);
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [name]);
    else group.push(name);
  }
  const labels = new Map<string, string>();
  for (const [label, group] of groups) {
    const [only] = group;
    if (group.length === 1 && only !== undefined) {
      labels.set(only, label);
      continue;
    }
    const digits = [4, 8, 16].find(
      (count) => new Set(group.map((name) => idDigits(name, count))).size === group.length,
    );
    for (const name of group) {
      const suffix = digits === undefined ? `${idDigits(name, 16)}@${nameWithoutId(name)}` : idDigits(name, digits);
      labels.set(name, `${label}#${suffix}`);
    }
  }
  return labels;
}

function idDigits(name: string, count: number): string {
  return (partsOf(name).id ?? 'any').slice(0, count);
}
