// C0 without TAB and LF, DEL and C1: a terminal would obey them when the text is drawn. Embeddings, overrides and isolates reorder
// what follows them, so the cursor would stand in a place that is not where the text goes.
const UNWANTED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes typed or pasted text fit for the editor: newlines become LF, control and reordering characters are dropped, lone surrogates
 * become U+FFFD. TAB and LF stay.
 */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(UNWANTED, '').toWellFormed();
}
