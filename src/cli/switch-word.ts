const ON: readonly string[] = ['1', 'true', 't', 'yes', 'y', 'on'];
const OFF: readonly string[] = ['0', 'false', 'f', 'no', 'n', 'off'];

/**
 * Understands the value of a switch as SLIM's example programs do, which read theirs with click: in any case, blanks around it do
 * not count.
 *
 * @returns `undefined` for what is neither on nor off
 */
export function readSwitch(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (ON.includes(word)) return true;
  return OFF.includes(word) ? false : undefined;
}
