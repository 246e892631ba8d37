import type { Readable } from 'node:stream';

import type { ChatCommand } from '../chat/index.js';
import { parseJsonCommand } from './json-command.js';
import { readLines } from './line-reader.js';

/** Longest command, bytes. */
export const MAX_COMMAND_BYTES = 1024 * 1024;

/** What a mode needs of the chat. */
export interface ChatPort {
  execute(command: ChatCommand): void;
  writable(): Promise<void>;
}

/** A line that is no command. */
export interface Refusal {
  /** Counted from 1. */
  readonly line: number;
  /** What it should have been. */
  readonly expected: string;
  readonly ref?: string | undefined;
}

/**
 * Carries out the commands of an input, and exits at its end after pending deliveries. Reads no faster than messages are taken.
 *
 * @param refuse - gets what each line should have been that is no command
 */
export async function runJsonInput(input: Readable, chat: ChatPort, refuse: (refusal: Refusal) => void): Promise<void> {
  for await (const line of readLines(input, MAX_COMMAND_BYTES)) {
    if (line.kind === 'too-long') {
      refuse({ line: line.number, expected: `at most ${MAX_COMMAND_BYTES} bytes` });
    } else if (line.kind === 'not-text') {
      refuse({ line: line.number, expected: 'UTF-8' });
    } else if (line.kind === 'unreadable') {
      refuse({ line: line.number, expected: `lines of UTF-8. From here on ${line.why}` });
    } else {
      const parsed = parseJsonCommand(line.text);
      if (parsed.ok) chat.execute(parsed.command);
      else refuse({ line: line.number, expected: parsed.expected, ref: parsed.ref });
    }
    await chat.writable();
  }
  chat.execute({ type: 'exit', drain: true });
}
