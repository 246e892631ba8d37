/** Has the terminal collect and echo lines again: the launcher has switched that off for a terminal UI that will not be. */
export function useLineMode(stdin: NodeJS.ReadStream): void {
  if (stdin.isTTY && stdin.isRaw) stdin.setRawMode(false);
}
