import { describe, expect, test } from 'vitest';

import { type ChatAction, createChatStore, type FaceCommand } from '../../src/chat/index.js';
import { FORGET_LINES, TICK_MS, TuiModel } from '../../src/ui/tui-model.js';
import { type InputEvent } from '../../src/ui/input/index.js';

const AT = '2026-11-23T12:00:00.000Z';
const START_MS = Date.parse(AT);

function setUp() {
  const timers: { afterMs: number; run: () => void }[] = [];
  const executed: FaceCommand[] = [];
  const ends: (number | 'forced' | 'suspended')[] = [];
  const time = { nowMs: START_MS };
  const store = createChatStore({
    clock: { ms: Date.parse, time: (at) => at.slice(11, 16), day: (at) => at.slice(0, 10) },
    echo: 'live',
    isLive: true,
    keepsLines: true,
  });
  const model = new TuiModel({
    store,
    execute: (command) => executed.push(command),
    nowMs: () => time.nowMs,
    size: () => ({ columns: 80, rows: 24 }),
    startTimer: (afterMs, run) => {
      const timer = { afterMs, run };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
    onForce: () => ends.push('forced'),
    onSuspend: () => ends.push('suspended'),
    onEnded: (exitCode) => ends.push(exitCode),
  });
  model.start();
  const type = (...events: InputEvent[]): void => model.handle(events);
  const dispatch = async (...actions: ChatAction[]): Promise<void> => {
    for (const action of actions) store.dispatch(action);
    await Promise.resolve();
  };
  return { timers, executed, ends, time, store, model, type, dispatch };
}

const key = (name: string): InputEvent => ({ kind: 'key', key: name });
const text = (value: string): InputEvent => ({ kind: 'text', text: value });

const session: ChatAction[] = [
  {
    type: 'ready',
    at: AT,
    local: 'a/b/me/1',
    node: { endpoint: 'x', embedded: false },
    role: 'moderator',
    channel: 'a/b/chat',
    version: '1',
  },
  {
    type: 'session',
    at: AT,
    session: 1,
    channel: 'a/b/chat',
    moderator: 'a/b/me/1',
    members: ['a/b/me/1', 'a/b/bob/2'],
    role: 'moderator',
    mls: { state: 'off' },
    timeoutMs: 1000,
    maxRetries: 29,
    metadata: {},
  },
];

describe('TuiModel', () => {
  test('publishes what is typed, in a group only', async () => {
    const { executed, type, dispatch, model } = setUp();
    type(text('hello'), key('enter'));
    expect(executed).toEqual([]);
    expect(model.getState().composer.notice).toContain('nobody is listening');
    await dispatch(...session);
    type(key('enter'));
    // It was begun when there was no group.
    expect(model.getState().composer.notice).toContain('Enter again');
    type(key('enter'));
    expect(executed).toEqual([{ type: 'publish', text: 'hello', session: 1 }]);
  });

  test('knows within one chunk that leaving has begun', async () => {
    const { executed, ends, type, dispatch } = setUp();
    await dispatch(...session);
    type(text('/quit'), key('enter'), key('ctrl+c'));
    expect(executed).toEqual([{ type: 'exit' }]);
    expect(ends).toEqual(['forced']);
  });

  test('completes names of members, and not the own one', async () => {
    const { type, dispatch, model } = setUp();
    await dispatch(...session);
    type(text('b'), key('tab'));
    expect(model.getState().composer.editor.text).toBe('bob: ');
    type(key('ctrl+u'), text('m'), key('tab'));
    expect(model.getState().composer.editor.text).toBe('m');
  });

  test('ticks only while something changes by time alone', async () => {
    const { timers, time, dispatch, model } = setUp();
    await dispatch(...session);
    expect(timers).toEqual([]);
    await dispatch({ type: 'own', at: AT, key: 1, content: { payload: 'hi' }, session: 1 });
    expect(timers.map(({ afterMs }) => afterMs)).toEqual([TICK_MS]);
    await dispatch({
      type: 'delivery',
      at: AT,
      key: 1,
      session: 1,
      id: 1,
      state: 'sent',
      acked: [],
      missing: ['a/b/bob/2'],
    });
    for (let ticks = 0; ticks < 3; ticks += 1) {
      time.nowMs += TICK_MS;
      timers.pop()?.run();
      await Promise.resolve();
    }
    // 1.5 s old: the message has become a finished line, and nothing waits any more.
    expect(timers).toEqual([]);
    expect(model.getState().nowMs).toBe(START_MS + 3 * TICK_MS);
  });

  test('ends with the chat', async () => {
    const { ends, dispatch } = setUp();
    await dispatch({ type: 'bye', at: AT, exitCode: 5 });
    expect(ends).toEqual([5]);
  });

  test('stops its timer when it is closed', async () => {
    const { timers, dispatch, model } = setUp();
    await dispatch(...session, { type: 'own', at: AT, key: 1, content: { payload: 'hi' }, session: 1 });
    model.close();
    expect(timers).toEqual([]);
    await dispatch({ type: 'own', at: AT, key: 2, content: { payload: 'hi' }, session: 1 });
    expect(timers).toEqual([]);
    expect(model.getState().isClosed).toBe(true);
  });

  test('lets the chat forget what is printed, now and then', async () => {
    const { store, model, dispatch } = setUp();
    await dispatch({ type: 'note', lines: Array.from({ length: FORGET_LINES + 5 }, () => 'x') });
    model.onPrinted(FORGET_LINES - 1);
    expect(store.getState().lines.toArray()).toHaveLength(FORGET_LINES + 5);
    model.onPrinted(FORGET_LINES);
    expect(store.getState().lines.toArray()).toHaveLength(5);
  });

  test('clears the screen with what it was given', () => {
    const { type, model } = setUp();
    let cleared = 0;
    const stop = model.onClearScreen(() => (cleared += 1));
    type(key('ctrl+l'));
    stop();
    type(key('ctrl+l'));
    expect(cleared).toBe(1);
  });

  test('sends lines that were typed ahead as messages of their own', async () => {
    const { executed, dispatch, model } = setUp();
    await dispatch(...session);
    model.handleTypedAhead([text('one'), key('enter'), text('two'), key('enter'), text('thr')]);
    expect(executed.map((command) => ('text' in command ? command.text : command.type))).toEqual(['one', 'two']);
    expect(model.getState().composer.editor.text).toBe('thr');
  });

  test('does not join lines that were typed ahead and that nobody can get', () => {
    const { executed, model } = setUp();
    model.handleTypedAhead([text('one'), key('enter'), text('two'), key('enter')]);
    expect(executed).toEqual([]);
    expect(model.getState().composer.editor.text).toBe('two');
    expect(model.getState().composer.notice).toContain('nobody is listening');
    model.handle([key('up')]);
    expect(model.getState().composer.editor.text).toBe('one');
  });

  test('gives the shell the terminal on Ctrl+Z, and keeps what is typed', async () => {
    const { ends, type, dispatch, model } = setUp();
    await dispatch(...session);
    type(text('half'), key('ctrl+z'));
    expect(ends).toEqual(['suspended']);
    expect(model.getState().composer.editor.text).toBe('half');
  });
});
