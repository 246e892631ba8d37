import { anyOf, Characters } from './characters.js';

const INVISIBLE = anyOf(Characters.controls, Characters.formats, Characters.blanks);

/**
 * The first character that nobody sees at either end of a text, as a code point such as `U+200B`: what a clipboard, an editor or
 * `echo` adds, and what makes two texts different that look alike.
 */
export function invisibleEnd(text: string): string | undefined {
  const end = [...text.matchAll(INVISIBLE)].find(
    ({ index, 0: character }) => index === 0 || index + character.length === text.length,
  );
  if (end === undefined) return undefined;
  return `U+${(end[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
