/** The group of two that the end-to-end tests of faults talk in. */
import { JsonProgram } from './program.js';

export const ALICE = 'ci/ns/alice';
export const BOB = 'ci/ns/bob';
export const TALK = 'ci/ns/talk';

/** What alice's program is started with to moderate {@link TALK} with bob. */
export function moderatorOptions(slim: string, ...more: readonly string[]): readonly string[] {
  return ['--local', ALICE, '--slim', slim, '--remote', TALK, '--invites', BOB, ...more];
}

/** Starts the program of a member, who waits for an invitation. */
export async function member(local: string, slim: string): Promise<JsonProgram> {
  const program = new JsonProgram(['--local', local, '--slim', slim]);
  await program.event({ type: 'ready' });
  return program;
}

/** Starts alice's program, which moderates {@link TALK} with bob. */
export function moderator(slim: string, ...more: readonly string[]): JsonProgram {
  return new JsonProgram(moderatorOptions(slim, ...more));
}
