import { describe, expect, onTestFinished, test } from 'vitest';

import { Emitter } from '../../src/util/index.js';

describe('Emitter', () => {
  test('tells everybody, in the order they came', () => {
    const emitter = new Emitter<number>();
    const heard: string[] = [];
    emitter.on((event) => heard.push(`first ${String(event)}`));
    emitter.on((event) => heard.push(`second ${String(event)}`));
    emitter.emit(1);
    emitter.emit(2);
    expect(heard).toEqual(['first 1', 'second 1', 'first 2', 'second 2']);
  });

  test('the same function added twice is two listeners, each removed by its own removal', () => {
    const emitter = new Emitter<string>();
    const heard: string[] = [];
    const listener = (event: string) => heard.push(event);
    const stopFirst = emitter.on(listener);
    const stopSecond = emitter.on(listener);
    emitter.emit('a');
    stopFirst();
    stopFirst();
    emitter.emit('b');
    stopSecond();
    emitter.emit('c');
    expect(heard).toEqual(['a', 'a', 'b']);
    expect(emitter.hasListeners).toBe(false);
  });

  test('a listener that stops another one during an event keeps it from hearing that event', () => {
    const emitter = new Emitter<string>();
    const heard: string[] = [];
    emitter.on(() => stop());
    const stop = emitter.on((event) => heard.push(event));
    emitter.emit('a');
    expect(heard).toEqual([]);
  });

  test('a listener that throws does not stop the others; its error surfaces as an uncaught exception', async () => {
    const emitter = new Emitter<string>();
    const heard: string[] = [];
    const handlers = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException');
      for (const handler of handlers) process.on('uncaughtException', handler);
    });
    const surfaced = new Promise<unknown>((resolve) => {
      process.once('uncaughtException', resolve);
    });
    const failure = new Error('listener failed');
    emitter.on(() => {
      throw failure;
    });
    emitter.on((event) => heard.push(event));
    emitter.emit('a');
    expect(heard).toEqual(['a']);
    expect(await surfaced).toBe(failure);
  });
});
