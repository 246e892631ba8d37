import type { Readable } from 'node:stream';

import type { ChatCommand, ChatEvent } from '../chat/index.js';
import { parseJsonCommand } from './json-command.js';
import { formatJsonEvent } from './json-event.js';
import { readLines } from './line-reader.js';
import type { LineWriter } from './line-writer.js';

/** Longest command, bytes. */
export const MAX_COMMAND_BYTES = 1024 * 1024;

/** What a mode needs of the chat. */
export interface ChatPort {
  execute(command: ChatCommand): void;
  writable(): Promise<void>;
}

/** The events of the chat as JSON Lines. */
export function jsonEmitter(writer: LineWriter): (event: ChatEvent) => void {
  return (event) => {
    writer.write(formatJsonEvent(event));
  };
}

/**
 * Carries out the commands of an input, and exits at its end after pending deliveries. Reads no faster than messages are taken.
 *
 * @param emit - gets an `error` for each line that is no command
 */
export async function runJsonInput(input: Readable, chat: ChatPort, emit: (event: ChatEvent) => void): Promise<void> {
  const refuse = (line: number, expected: string, ref?: string): void => {
    emit({
      at: new Date().toISOString(),
      type: 'error',
      code: 'bad-command',
      message: `line ${line}: expected ${expected}`,
      ...(ref !== undefined && { ref }),
      line,
    });
  };
  for await (const line of readLines(input, MAX_COMMAND_BYTES)) {
    if (line.kind === 'too-long') {
      refuse(line.number, `at most ${MAX_COMMAND_BYTES} bytes`);
    } else if (line.kind === 'not-text') {
      refuse(line.number, 'UTF-8');
    } else {
      const parsed = parseJsonCommand(line.text);
      if (parsed.ok) chat.execute(parsed.command);
      else refuse(line.number, parsed.expected, parsed.ref);
    }
    await chat.writable();
  }
  chat.execute({ type: 'exit', drain: true });
}
