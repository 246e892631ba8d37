import { writeSync } from 'node:fs';

import type { TuiStreams } from '../chat/index.js';

/** Bracketed paste: the terminal marks what is pasted. */
const ENTER = '\u001b[?2004h';
/** The same off, and the cursor shown. */
const LEAVE = '\u001b[?2004l\u001b[?25h';
/** From the cursor's row to the end of the screen. */
const ERASE_BELOW = '\r\u001b[J';
const LINE_UP = '\u001b[A';

/** Tries of a write to a terminal that is busy; each costs microseconds, and there is nothing else to do at that point. */
const WRITE_TRIES = 1000;

/** How the cursor is left. */
export type LeaveStyle =
  /** In the middle of the live region, which is erased from there on. */
  | 'abrupt'
  /** Below a live region that has been drawn empty, which leaves one blank line. */
  | 'clean';

/** The one owner of terminal modes: raw input, bracketed paste, cursor. */
export class Terminal {
  readonly #streams: TuiStreams;
  #stopReading: (() => void) | undefined;

  constructor(streams: TuiStreams) {
    this.#streams = streams;
  }

  /** Switches the modes on and reads. */
  enter(onBytes: (bytes: Uint8Array) => void): void {
    const { stdin } = this.#streams;
    stdin.setRawMode(true);
    stdin.on('data', onBytes);
    stdin.resume();
    this.#stopReading = () => stdin.off('data', onBytes);
    this.write(ENTER);
  }

  /** Gives the modes back for a while, to a shell that is about to read the same terminal. */
  suspend(): void {
    if (this.#stopReading === undefined) return;
    this.write(LEAVE);
    this.#setRawMode(false);
  }

  /** Takes the modes again, whatever somebody else has done to them meanwhile. */
  resume(): void {
    if (this.#stopReading === undefined) return;
    // Node sets a mode only if it is another one than the one it has set before.
    this.#setRawMode(false);
    this.#setRawMode(true);
    this.write(ENTER);
  }

  /**
   * Puts everything back as it was. Synchronous and idempotent, so that it can run when the process is about to be gone; never
   * throws, because the terminal itself may be gone.
   */
  restore(style: LeaveStyle): void {
    if (this.#stopReading === undefined) return;
    this.#stopReading();
    this.#stopReading = undefined;
    this.write((style === 'abrupt' ? ERASE_BELOW : LINE_UP) + LEAVE);
    this.#setRawMode(false);
    this.#streams.stdin.pause();
  }

  /** Writes at once, also when the process is about to stop or to be gone. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    let written = 0;
    for (let tries = 0; tries < WRITE_TRIES && written < bytes.length; tries += 1) {
      try {
        written += writeSync(descriptorOf(this.#streams.stdout), bytes, written);
      } catch (error) {
        // EAGAIN: the terminal is still busy with a frame. Anything else: nobody is there to see it.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      }
    }
  }

  #setRawMode(isRaw: boolean): void {
    try {
      this.#streams.stdin.setRawMode(isRaw);
    } catch {
      // The terminal was closed: there is no mode left to set.
    }
  }
}

/** The type of a terminal stream does not tell its descriptor, but it has one. */
function descriptorOf(stdout: NodeJS.WriteStream & { readonly fd?: number }): number {
  return stdout.fd ?? 1;
}
