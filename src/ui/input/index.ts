/**
 * From the bytes of a terminal to an edited text: tokenizer, guess about unmarked pastes, editor, history, completion.
 *
 * Everything but {@link InputReader} is pure; that one runs the timers it is given. Invariants: the way bytes are cut into chunks does
 * not matter, the cursor stands on the edge of a grapheme, text holds no control characters but TAB and LF.
 * Must not know React, Ink, the chat, or the process it runs in.
 *
 * @packageDocumentation
 */
export { complete, type Completion, type Vocabulary } from './completion.js';
export { edit, type EditorAction, type EditorState, emptyEditor } from './editor.js';
export { GraphemeEdges, graphemesOf } from './graphemes.js';
export { emptyHistory, type History, newer, older, remember } from './history.js';
export { type InputEvent } from './input-event.js';
export { InputReader, type InputReaderOptions, type OnEvents, type StartTimer } from './input-reader.js';
export { lineMove } from './motions.js';
