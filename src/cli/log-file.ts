import { closeSync, openSync, writeSync } from 'node:fs';

import type { ChatEvent } from '../chat/index.js';
import type { NodeLogEvent } from '../node/index.js';
import { ConfigError } from '../util/index.js';

/** A log in JSON Lines for diagnosis. What people write to each other is not in it. */
export interface LogFile {
  chat(event: ChatEvent): void;
  node(event: NodeLogEvent): void;
  close(): void;
}

const NO_LOG: LogFile = {
  chat: () => undefined,
  node: () => undefined,
  close: () => undefined,
};

/**
 * Opens a log file for appending, readable for the user only; without a path nothing is logged.
 *
 * @throws ConfigError `bad-config` if it cannot be opened
 */
export function openLog(file: string | undefined): LogFile {
  if (file === undefined) return NO_LOG;
  let descriptor: number;
  try {
    descriptor = openSync(file, 'a', 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unwritable';
    throw new ConfigError('bad-config', `Cannot write the log file ${JSON.stringify(file)} (${code}).`, {
      cause: error,
    });
  }
  let isOpen = true;
  const write = (entry: object): void => {
    if (!isOpen) return;
    try {
      // At once and in order, so that the log is whole whatever ends the program.
      writeSync(descriptor, `${JSON.stringify(entry)}\n`);
    } catch {
      // A full disk must not end a chat.
      isOpen = false;
    }
  };
  return {
    chat: ({ at, ...event }) => {
      write({ at, source: 'chat', ...withoutContent(event) });
    },
    node: (event) => {
      write({ at: new Date().toISOString(), source: 'node', ...event });
    },
    close: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

function withoutContent(event: object): object {
  const { text, textBase64, metadata, ...rest } = event as Record<string, unknown>;
  const content = text ?? textBase64;
  return {
    ...rest,
    ...(typeof content === 'string' && { contentLength: content.length }),
    ...(metadata !== undefined && { metadataKeys: Object.keys(metadata as object) }),
  };
}
