// Bytes of a 64-bit number.
const LONGEST_VARINT = 10;

/**
 * Reads protobuf primitives one after the other. Never throws: a read beyond the end sets {@link ByteReader.failed}, which stays set,
 * and gives 0.
 *
 * protobufjs's own reader throws on short input and makes objects for 64-bit numbers; the node reads every message that
 * passes, and needs neither.
 */
export class ByteReader {
  /** Position of the next byte. */
  at: number;
  /** Where reading must stop. */
  end: number;
  /** Whether something did not fit. */
  failed = false;
  /** Low 32 bits, unsigned, of the last {@link ByteReader.word}. */
  low = 0;
  /** High 32 bits, unsigned, of the last {@link ByteReader.word}. */
  high = 0;

  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** A varint of at most 32 bits: tags, lengths. A larger one fails. */
  small(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let scale = 1; scale <= 0x1000_0000 && this.at < this.end; scale *= 128) {
      const byte = bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80 && value <= 0xffff_ffff) return value;
    }
    this.failed = true;
    return 0;
  }

  /** A varint of at most 64 bits, into {@link ByteReader.low} and {@link ByteReader.high}. */
  word(): void {
    const bytes = this.#bytes;
    const start = this.at;
    let low = 0;
    let high = 0;
    while (this.at < this.end) {
      const byte = bytes[this.at++] ?? 0;
      const bits = byte & 0x7f;
      const shift = (this.at - start - 1) * 7;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else {
        // The tenth byte has room for one bit.
        if (byte > 1) break;
        high |= bits << 31;
      }
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    this.failed = true;
    this.low = 0;
    this.high = 0;
  }

  /** Passes over the value of an unknown field. Groups fail: no encoder of this schema writes any. */
  skip(wireType: number): void {
    if (wireType === 0) this.#skipVarint();
    else if (wireType === 1) this.at += 8;
    else if (wireType === 5) this.at += 4;
    else if (wireType === 2) {
      // In two steps: `+=` would take the position from before the length was read.
      const length = this.small();
      this.at += length;
    } else this.failed = true;
    if (this.at > this.end) this.failed = true;
  }

  #skipVarint(): void {
    const bytes = this.#bytes;
    for (let length = 1; length <= LONGEST_VARINT && this.at < this.end; length++) {
      const byte = bytes[this.at++] ?? 0;
      if (byte >= 0x80) continue;
      // The last byte of the longest one has room for one bit.
      if (length === LONGEST_VARINT && byte > 1) break;
      return;
    }
    this.failed = true;
  }
}
