/** What some editors and systems put before a text to say that it is Unicode. */
const BYTE_ORDER_MARK = '\ufeff';

/** The text of a file, a variable or a stream as whoever wrote it sees it. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
}
