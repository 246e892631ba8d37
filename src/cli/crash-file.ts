import { appendFileSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';

/**
 * Writes what is known of a bug into a file that only the user can read.
 *
 * @returns its path; `undefined` if it could not be written anywhere
 */
export function writeCrashFile(error: unknown, version: string, env: NodeJS.ProcessEnv): string | undefined {
  const at = new Date().toISOString();
  const name = `crash-${at.slice(0, 10).replaceAll('-', '')}.log`;
  const head = `${at} slim-chat ${version}, Node ${process.version}, ${process.platform} ${process.arch}`;
  // Not the arguments and not the environment: both may hold the secret.
  const text = `${head}\n${inspect(error, { depth: 4 })}\n\n`;
  for (const folder of foldersOf(env)) {
    const file = path.join(folder, name);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      appendFileSync(file, text, { mode: 0o600 });
      return file;
    } catch {
      // No such home, or a read-only one: the next folder.
    }
  }
  return undefined;
}

/** Where to write, best first. A relative folder means nothing here, and Node tries for ever to make one in a directory that is gone. */
function foldersOf(env: NodeJS.ProcessEnv): readonly string[] {
  const state = env['XDG_STATE_HOME'];
  const folders = [
    state !== undefined && path.isAbsolute(state) ? state : path.join(homedir(), '.local', 'state'),
    tmpdir(),
  ];
  return folders.filter((folder) => path.isAbsolute(folder)).map((folder) => path.join(folder, 'slim-chat'));
}
