/**
 * Classes of characters that must not reach a terminal or a log as they are, each as the inside of a character class with the
 * `v` or `u` flag. Every place that cleans text takes its classes from here and says by its name what it is for.
 */
export const Characters = {
  /** C0, DEL and C1. A terminal obeys many of them, also the 8-bit ones. */
  controls: '\\p{Cc}',
  /** DEL and C1: what JSON leaves as it is. */
  highControls: '\\u007f-\\u009f',
  /** LINE SEPARATOR and PARAGRAPH SEPARATOR, which end a line in some programs. */
  lineSeparators: '\\p{Zl}\\p{Zp}',
  /** Reorder what stands around them. */
  bidiControls: '\\p{Bidi_Control}',
  /** All without a picture that change how others look: bidi controls, joiners, zero-width spaces, tags. */
  formats: '\\p{Cf}',
  /** Shown as nothing at all; emoji and some scripts need a few of them. */
  ignorable: '\\p{Default_Ignorable_Code_Point}',
  /** Controls and formats, and code points that are private, unassigned or half of a pair. */
  others: '\\p{C}',
  /** Blanks of all kinds, and what ends lines. */
  blanks: '\\p{Z}',
} as const;

/** An expression that finds all characters of some classes. */
export function anyOf(...classes: readonly string[]): RegExp {
  return new RegExp(`[${classes.join('')}]`, 'gu');
}
