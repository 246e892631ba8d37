import { PassThrough, Writable } from 'node:stream';

import { describe, expect, test, vi } from 'vitest';

import { LineWriter, type LineWriterHandlers } from '../../src/cli/line-writer.js';

/** A reader that takes nothing until it is told to. */
class Stuck extends Writable {
  #release: (() => void) | undefined;
  #isFree = false;

  free(): void {
    this.#isFree = true;
    this.#release?.();
  }

  override _write(_chunk: Buffer, _encoding: string, callback: () => void): void {
    if (this.#isFree) callback();
    else this.#release = callback;
  }
}

function handlers() {
  return { onGone: vi.fn<LineWriterHandlers['onGone']>(), onBlocked: vi.fn<LineWriterHandlers['onBlocked']>() };
}

describe('LineWriter', () => {
  test('writes lines until nobody reads any more, tells that once, and says so at the end', async () => {
    const stream = new PassThrough();
    const told = handlers();
    const writer = new LineWriter(stream, told);
    writer.write('one');
    expect(String(stream.read())).toBe('one\n');
    writer.assertWritten();
    stream.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await vi.waitFor(() => {
      expect(told.onGone).toHaveBeenCalledTimes(1);
    });
    writer.write('more');
    await writer.flush();
    expect(told.onGone).toHaveBeenCalledTimes(1);
    expect(() => {
      writer.assertWritten();
    }).toThrow(
      expect.objectContaining({
        code: 'output-failed',
        exitCode: 74,
        message: expect.stringContaining('EPIPE') as string,
      }),
    );
  });

  test('says a full disk by its name', async () => {
    const told = handlers();
    const stream = new Writable({
      write: (_chunk, _encoding, callback) => {
        callback(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      },
    });
    const writer = new LineWriter(stream, told);
    writer.write('one');
    await vi.waitFor(() => {
      expect(told.onGone).toHaveBeenCalledTimes(1);
    });
    expect(() => {
      writer.assertWritten();
    }).toThrow('The output is incomplete: writing it failed (ENOSPC).');
  });

  test('knows at the end that the very last line could not be written', async () => {
    const told = handlers();
    // As a file: nothing waits, and that it has failed comes a moment later.
    const stream = new Writable({
      write: (_chunk, _encoding, callback) => {
        callback(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      },
    });
    const writer = new LineWriter(stream, told);
    writer.write('the last line');
    await writer.flush();
    expect(() => {
      writer.assertWritten();
    }).toThrow('writing it failed (ENOSPC).');
    expect(told.onGone).toHaveBeenCalledTimes(1);
  });

  test('tells when its reader does not keep up, before much has gathered, and when it does again', async () => {
    const stream = new Stuck();
    const told = handlers();
    const writer = new LineWriter(stream, told);
    let lines = 0;
    while (told.onBlocked.mock.calls.length === 0) {
      writer.write('x'.repeat(100_000));
      lines += 1;
    }
    expect(lines).toBeLessThan(20);
    stream.free();
    await vi.waitFor(() => {
      expect(told.onBlocked.mock.calls).toEqual([[true], [false]]);
    });
  });

  test('gives up a reader that takes nothing at the end', async () => {
    vi.useFakeTimers();
    const stream = new Stuck();
    const told = handlers();
    const writer = new LineWriter(stream, told);
    writer.write('one');
    const flushed = writer.flush();
    await vi.advanceTimersByTimeAsync(10_000);
    await flushed;
    expect(told.onGone).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });
});
