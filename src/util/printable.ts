import { anyOf, Characters } from './characters.js';

const NOT_IN_SENTENCES = anyOf(Characters.controls, Characters.formats, Characters.lineSeparators);
const NOT_IN_WORDS = anyOf(Characters.others, Characters.blanks);

/**
 * Text from a peer, a certificate or a configuration file, made fit for an error message: control and formatting characters
 * become `?`, and what is too long is cut.
 *
 * @param text - anything
 * @param maxLength - in UTF-16 units
 */
export function printable(text: string, maxLength = 200): string {
  const clean = text.toWellFormed().replace(NOT_IN_SENTENCES, '?');
  return clean.length > maxLength ? `${clean.slice(0, maxLength)}...` : clean;
}

/** A name from anybody, made fit to be one word of a log: whatever is not visible becomes `?`. */
export function printableWord(text: string): string {
  return text.replace(NOT_IN_WORDS, '?');
}
