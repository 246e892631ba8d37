/** What a key can do. The names of the editor's own actions are those of `EditorAction`. */
export type KeyCommand =
  | 'submit'
  | 'newline'
  | 'interrupt'
  | 'delete-right-or-leave'
  | 'cancel'
  | 'complete'
  | 'up'
  | 'down'
  | 'clear-screen'
  | 'suspend'
  | 'switch'
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'line-start'
  | 'line-end'
  | 'delete-left'
  | 'delete-right'
  | 'kill-to-line-end'
  | 'kill-to-line-start'
  | 'kill-word-left'
  | 'kill-word-right'
  | 'kill-blank-word-left'
  | 'yank'
  | 'yank-pop'
  | 'transpose';

/** One line of the key map. */
export interface KeyBinding {
  /** Chords as the input layer spells them. */
  readonly keys: readonly string[];
  readonly command: KeyCommand;
  /** For people; the key table of the README is made of it. */
  readonly help: string;
}

/** All keys, in the order a table of them shows them. */
export const KEYMAP: readonly KeyBinding[] = [
  { keys: ['enter'], command: 'submit', help: 'send; after a \\ start a new line instead' },
  { keys: ['alt+enter', 'shift+enter', 'ctrl+enter', 'linefeed'], command: 'newline', help: 'new line' },
  { keys: ['tab'], command: 'complete', help: 'complete a command or a name' },
  { keys: ['up', 'ctrl+p'], command: 'up', help: 'line above, or older message' },
  { keys: ['down', 'ctrl+n'], command: 'down', help: 'line below, or newer message' },
  {
    keys: ['ctrl+c'],
    command: 'interrupt',
    help: 'clear what is typed (Up brings it back); twice: leave; once more: do not wait',
  },
  { keys: ['ctrl+d'], command: 'delete-right-or-leave', help: 'delete; with nothing typed: as Ctrl+C' },
  { keys: ['escape', 'ctrl+g'], command: 'cancel', help: 'drop a paste that is asked about' },
  { keys: ['ctrl+l'], command: 'clear-screen', help: 'clear the screen, not the scrollback' },
  { keys: ['ctrl+z'], command: 'suspend', help: 'back to the shell; `fg` there comes back here' },
  {
    keys: ['alt+1', 'alt+2', 'alt+3', 'alt+4', 'alt+5', 'alt+6', 'alt+7', 'alt+8', 'alt+9'],
    command: 'switch',
    help: 'go on in your first, second, ... group',
  },
  { keys: ['left', 'ctrl+b'], command: 'left', help: 'one character left' },
  { keys: ['right', 'ctrl+f'], command: 'right', help: 'one character right' },
  { keys: ['ctrl+left', 'alt+left', 'alt+b'], command: 'word-left', help: 'one word left' },
  { keys: ['ctrl+right', 'alt+right', 'alt+f'], command: 'word-right', help: 'one word right' },
  { keys: ['home', 'ctrl+a'], command: 'line-start', help: 'start of the line' },
  { keys: ['end', 'ctrl+e'], command: 'line-end', help: 'end of the line' },
  { keys: ['backspace', 'ctrl+h', 'shift+backspace'], command: 'delete-left', help: 'delete to the left' },
  { keys: ['delete'], command: 'delete-right', help: 'delete to the right' },
  { keys: ['ctrl+k'], command: 'kill-to-line-end', help: 'cut to the end of the line' },
  { keys: ['ctrl+u'], command: 'kill-to-line-start', help: 'cut to the start of the line' },
  { keys: ['ctrl+w'], command: 'kill-blank-word-left', help: 'cut the word before, up to a blank' },
  { keys: ['alt+backspace', 'ctrl+backspace', 'ctrl+alt+h'], command: 'kill-word-left', help: 'cut the word before' },
  { keys: ['alt+d', 'alt+delete', 'ctrl+delete'], command: 'kill-word-right', help: 'cut the word behind' },
  { keys: ['ctrl+y'], command: 'yank', help: 'put back what was cut' },
  { keys: ['alt+y'], command: 'yank-pop', help: 'right after that: what was cut before' },
  { keys: ['ctrl+t'], command: 'transpose', help: 'swap two characters' },
];

const BY_KEY: ReadonlyMap<string, KeyCommand> = new Map(
  KEYMAP.flatMap(({ keys, command }) => keys.map((key) => [key, command] as const)),
);

/** What a chord does, or `undefined`. */
export function commandOf(key: string): KeyCommand | undefined {
  return BY_KEY.get(key);
}
