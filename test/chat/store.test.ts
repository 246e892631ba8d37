import { describe, expect, test, vi } from 'vitest';

import { createChatStore } from '../../src/chat/index.js';
import { ALICE, at, delivery, LIVE, message, own, PLAIN, ready, screen, session } from './chat-helper.js';

describe('createChatStore', () => {
  test('notifies once for a burst', async () => {
    const store = createChatStore(LIVE);
    const listener = vi.fn();
    store.subscribe(listener);
    store.dispatch(ready(ALICE, 'moderator'));
    store.dispatch(session([ALICE]));
    for (let i = 0; i < 500; i += 1) store.dispatch(message(ALICE, `n ${i}`, '12:02'));
    expect(listener).not.toHaveBeenCalled();
    expect(store.getState().lines.end).toBe(500);
    await Promise.resolve();
    expect(listener).toHaveBeenCalledTimes(1);
    store.dispatch({ type: 'hint', at: at('12:03'), text: 'x' });
    await Promise.resolve();
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test('does not notify of what changes nothing, nor those who stopped listening', async () => {
    const store = createChatStore(LIVE);
    const listener = vi.fn();
    const stop = store.subscribe(listener);
    store.dispatch({ type: 'tick', nowMs: 1 });
    await Promise.resolve();
    stop();
    store.dispatch(ready(ALICE, 'moderator'));
    await Promise.resolve();
    expect(listener).not.toHaveBeenCalled();
  });

  test('prints own messages at once, or not at all, where there is no live region', () => {
    const begun = own('m1', 'hi', '12:02');
    const acked = delivery('m1', 'acked', [], [], '12:02');
    for (const [echo, lines] of [
      ['print', ['12:02  alice  hi']],
      ['none', []],
    ] as const) {
      const store = createChatStore({ ...PLAIN, echo });
      for (const event of [ready(ALICE, 'moderator'), session([ALICE]), begun]) store.dispatch(event);
      expect(screen(store.getState())).toEqual(lines);
      store.dispatch(acked);
      expect(screen(store.getState())).toEqual(lines);
      expect(store.getState().own).toEqual([]);
    }
  });
});
