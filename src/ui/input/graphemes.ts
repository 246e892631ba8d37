const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The graphemes of a text, in order. */
export function graphemesOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/**
 * Where the characters that people see begin and end in one text. All positions are UTF-16 indexes.
 *
 * Only the neighbourhood of a position is looked at, so a long text costs little.
 */
export class GraphemeEdges {
  readonly #text: string;
  readonly #segments: Intl.Segments;

  constructor(text: string) {
    this.#text = text;
    this.#segments = segmenter.segment(text);
  }

  /** Start of the grapheme before the edge at `index`; 0 at the start. */
  before(index: number): number {
    return index <= 0 ? 0 : (this.#segments.containing(index - 1)?.index ?? 0);
  }

  /** End of the grapheme that holds `index`; the length of the text at its end. */
  after(index: number): number {
    const segment = this.#segments.containing(index);
    return segment === undefined ? this.#text.length : segment.index + segment.segment.length;
  }

  /** `index` itself if it is an edge, else the next edge behind it. */
  snap(index: number): number {
    const bounded = Math.min(Math.max(0, index), this.#text.length);
    return this.#segments.containing(bounded)?.index === bounded ? bounded : this.after(bounded);
  }
}
