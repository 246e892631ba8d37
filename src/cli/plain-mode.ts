import type { Readable } from 'node:stream';

import { type ChatStore, formatLine, inputContext, parseInput } from '../chat/index.js';
import type { Face } from './face.js';
import type { ChatPort } from './json-mode.js';
import { readLines } from './line-reader.js';
import type { LineWriter } from './line-writer.js';

/** Longest line, bytes. Longer than any message may be. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** Prints finished lines of a store as they come, and lets it forget them. */
export class LinePrinter {
  readonly #store: ChatStore;
  readonly #writer: LineWriter;
  readonly #columns: () => number;
  #printed = 0;

  constructor(store: ChatStore, writer: LineWriter, columns: () => number) {
    this.#store = store;
    this.#writer = writer;
    this.#columns = columns;
    store.subscribe(() => {
      this.print();
    });
  }

  /** Prints what has not been printed. */
  print(): void {
    const { lines, nameWidth } = this.#store.getState();
    if (lines.end === this.#printed) return;
    for (const line of lines.since(this.#printed)) {
      this.#writer.write(formatLine(line, { nameWidth, columns: this.#columns() }));
    }
    this.#printed = lines.end;
    this.#store.dispatch({ type: 'forget', before: this.#printed });
  }
}

/** What plain mode reads from, and whom it tells. */
export interface PlainInput {
  readonly input: Readable;
  /** Whether a person types: then words that may be meant otherwise are asked about, and nothing is said into the void. */
  readonly isTerminal: boolean;
  readonly store: ChatStore;
  readonly face: Face;
  readonly chat: ChatPort;
}

/** Sends the lines of an input as messages and commands, and exits at its end after pending deliveries. */
export async function runPlainInput({ input, isTerminal, store, face, chat }: PlainInput): Promise<void> {
  let hinted: string | undefined;
  for await (const line of readLines(input, MAX_LINE_BYTES)) {
    if (line.kind === 'unreadable') {
      face.hint(`the input was not sent from line ${line.number} on: ${line.why}`, true);
      continue;
    }
    if (line.kind !== 'line') {
      face.hint(`line ${line.number} was not sent: it is ${line.kind === 'too-long' ? 'too long' : 'not UTF-8'}`, true);
      continue;
    }
    const isConfirmed = !isTerminal || hinted === line.text;
    const parsed = parseInput(line.text, inputContext(store.getState(), { isConfirmed, maySendAhead: !isTerminal }));
    hinted = parsed.ok ? undefined : line.text;
    if (parsed.ok) for (const command of parsed.commands) face.execute(command);
    // Nobody reads the hint to a script in time, so there it is a failure whatever it was.
    else face.hint(parsed.hint, !isTerminal || parsed.isMessage === true);
    await chat.writable();
  }
  chat.execute({ type: 'exit', drain: true });
}
