/** What can be completed. */
export interface Vocabulary {
  /** Command words with their slash; they complete only as the first word. */
  readonly commands: readonly string[];
  /** Names of members and known invitees. */
  readonly names: readonly string[];
}

/** Outcome of pressing Tab: the new text, and the candidates when there are several. */
export interface Completion {
  readonly text: string;
  readonly cursor: number;
  readonly choices: readonly string[];
}

/** The longest start that all words share, in the spelling of the first. */
function commonStart(words: readonly string[]): string {
  const [first = '', ...others] = words;
  let length = first.length;
  for (const word of others) {
    while (!word.toLowerCase().startsWith(first.slice(0, length).toLowerCase())) length -= 1;
  }
  // A name may hold characters outside the BMP; half of one would be garbage.
  return first.slice(0, length).replace(/[\ud800-\udbff]$/, '');
}

/**
 * Completes the word before the cursor.
 *
 * @param text - what stands in the composer
 * @param cursor - UTF-16 index of the cursor in it
 * @returns `undefined` if no candidate fits
 */
export function complete(text: string, cursor: number, vocabulary: Vocabulary): Completion | undefined {
  const head = text.slice(0, cursor);
  const start = head.search(/\S*$/);
  const word = head.slice(start);
  if (word === '') return undefined;
  const isFirst = start === 0;
  const isCommand = isFirst && word.startsWith('/');
  const candidates = isCommand ? vocabulary.commands : vocabulary.names;
  const wanted = word.toLowerCase();
  const choices = [...new Set(candidates)].filter((candidate) => candidate.toLowerCase().startsWith(wanted)).sort();
  if (choices.length === 0) return undefined;
  const single = choices.length === 1;
  // A first word that is a name is an address, as on IRC.
  const suffix = !single ? '' : isFirst && !isCommand ? ': ' : ' ';
  const rest = text.slice(cursor);
  const inserted = commonStart(choices) + (rest.startsWith(suffix) ? '' : suffix);
  return {
    text: text.slice(0, start) + inserted + rest,
    cursor: start + inserted.length,
    choices: single ? [] : choices,
  };
}
