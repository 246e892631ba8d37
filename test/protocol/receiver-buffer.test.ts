import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Arrival, ReceiverBuffer, type Release } from '../../src/protocol/receiver-buffer.js';
import { SEQUENCE_LIMIT } from '../../src/protocol/sequence.js';

function released(release: readonly Release<string>[]): string[] {
  return release.map((item) => (item.kind === 'message' ? item.value : `lost ${String(item.id)}`));
}

function arrival({ release, request }: Arrival<string>): { out: string[]; ask: readonly number[] } {
  return { out: released(release), ask: request };
}

/** A buffer of a sender that was there before us, and short words for what happens to it. */
function bufferOf(startsAtOne = false) {
  const buffer = new ReceiverBuffer<string>({ startsAtOne });
  return {
    buffer,
    get: (id: number) => arrival(buffer.onMessage(id, String(id))),
    lose: (id: number) => released(buffer.onLost(id)),
    open: () => released(buffer.open()),
  };
}

describe('sequences of the upstream tests', () => {
  test('1, 4, 4, 2, 2, 3', () => {
    const { get } = bufferOf();
    expect(get(1)).toEqual({ out: ['1'], ask: [] });
    expect(get(4)).toEqual({ out: [], ask: [2, 3] });
    expect(get(4)).toEqual({ out: [], ask: [] });
    expect(get(2)).toEqual({ out: ['2'], ask: [] });
    expect(get(2)).toEqual({ out: [], ask: [] });
    expect(get(3)).toEqual({ out: ['3', '4'], ask: [] });
  });

  test('0, 2, 5, 2, 3, 4, 1', () => {
    const { get } = bufferOf();
    expect(get(0)).toEqual({ out: ['0'], ask: [] });
    expect(get(2)).toEqual({ out: [], ask: [1] });
    expect(get(5)).toEqual({ out: [], ask: [3, 4] });
    expect(get(2)).toEqual({ out: [], ask: [] });
    expect(get(3)).toEqual({ out: [], ask: [] });
    expect(get(4)).toEqual({ out: [], ask: [] });
    expect(get(1)).toEqual({ out: ['1', '2', '3', '4', '5'], ask: [] });
  });

  test('0, 2, 4, 1 is lost, 5, 3 is lost', () => {
    const { get, lose } = bufferOf();
    get(0);
    get(2);
    get(4);
    expect(lose(1)).toEqual(['lost 1', '2']);
    expect(get(5)).toEqual({ out: [], ask: [] });
    expect(lose(3)).toEqual(['lost 3', '4', '5']);
  });
});

describe('a sender that was there before us', () => {
  test('its first message waits for one before it, and then is the start, whatever its number', () => {
    const { buffer, get, open } = bufferOf();
    expect(buffer.mustWait(4711)).toBe(true);
    expect(get(4711)).toEqual({ out: [], ask: [] });
    expect(get(4712)).toEqual({ out: [], ask: [] });
    expect(get(4711)).toEqual({ out: [], ask: [] });
    expect(buffer.isOpening).toBe(true);
    expect(open()).toEqual(['4711', '4712']);
    expect(buffer.isOpening).toBe(false);
    expect(get(4713)).toEqual({ out: ['4713'], ask: [] });
  });

  test('number 1 is the start, and waits for nothing', () => {
    const { buffer, get } = bufferOf();
    expect(buffer.mustWait(1)).toBe(false);
    expect(get(1)).toEqual({ out: ['1'], ask: [] });
    expect(buffer.isOpening).toBe(false);
  });

  test('the second message overtakes the first: both in order, as soon as the first is there', () => {
    const { buffer, get } = bufferOf();
    get(2);
    expect(get(1)).toEqual({ out: ['1', '2'], ask: [] });
    expect(buffer.isOpening).toBe(false);
  });

  test('nothing before what has come is asked for, but what lies between two that have come is', () => {
    const { get, open } = bufferOf();
    expect(get(10).ask).toEqual([]);
    expect(get(12).ask).toEqual([11]);
    expect(get(7).ask).toEqual([8, 9]);
    expect(get(8).out).toEqual([]);
    expect(open()).toEqual(['7', '8']);
    expect(get(9).out).toEqual(['9', '10']);
    expect(get(11).out).toEqual(['11', '12']);
  });

  test('a gap that is given up while the start is waited for is told in its place', () => {
    const { get, lose, open } = bufferOf();
    get(5);
    get(7);
    expect(lose(6)).toEqual([]);
    expect(open()).toEqual(['5', 'lost 6', '7']);
  });

  test('whoever leaves while its start is waited for: what has come is given out', () => {
    const { buffer, get } = bufferOf();
    get(5);
    get(4);
    expect(released(buffer.releaseAll())).toEqual(['4', '5']);
    expect(buffer.isOpening).toBe(false);
  });

  test('one too far before what waits to belong together is given out late', () => {
    const { get, open } = bufferOf();
    get(1000);
    expect(get(3)).toEqual({ out: ['3'], ask: [] });
    expect(open()).toEqual(['1000']);
  });

  test('one that must not be shown is a start too', () => {
    const { buffer, get } = bufferOf();
    expect(released(buffer.onRefused(3))).toEqual([]);
    expect(buffer.has(3)).toBe(true);
    expect(get(4)).toEqual({ out: ['4'], ask: [] });
  });

  test('a message before the start that comes later is given out late, and once', () => {
    const { get, buffer, open } = bufferOf();
    get(10);
    expect(open()).toEqual(['10']);
    expect(buffer.has(9)).toBe(false);
    expect(get(9)).toEqual({ out: ['9'], ask: [] });
    expect(buffer.has(9)).toBe(true);
    expect(get(9)).toEqual({ out: [], ask: [] });
    expect(get(11)).toEqual({ out: ['11'], ask: [] });
  });

  test('thousands of messages before the start: a repetition of a recent one is not given out again', () => {
    const { get, open } = bufferOf();
    get(5000);
    open();
    const again: string[] = [];
    for (let id = 4999; id >= 2000; id -= 1) {
      get(id);
      again.push(...get(id + 1).out);
    }
    expect(again).toEqual([]);
  });
});

describe('a sender that joins after us', () => {
  test('everything from 1 on is for us: a gap at the start is asked for', () => {
    const { get } = bufferOf(true);
    expect(get(3)).toEqual({ out: [], ask: [1, 2] });
    expect(get(1)).toEqual({ out: ['1'], ask: [] });
    expect(get(2)).toEqual({ out: ['2', '3'], ask: [] });
  });

  test('numbers of an earlier life that nobody can repeat are no loss', () => {
    const { get, lose } = bufferOf(true);
    get(3);
    expect(lose(1)).toEqual([]);
    expect(lose(2)).toEqual(['3']);
    get(5);
    expect(lose(4)).toEqual(['lost 4', '5']);
  });

  test('such a number that comes after all is given out late, and once: it was meant for us', () => {
    const { get, lose } = bufferOf(true);
    get(2);
    expect(lose(1)).toEqual(['2']);
    expect(get(1).out).toEqual(['1']);
    expect(get(1).out).toEqual([]);
    expect(get(3).out).toEqual(['3']);
  });

  test('a number missing behind one that came is a loss', () => {
    const { get, lose } = bufferOf(true);
    get(4);
    expect(lose(1)).toEqual([]);
    expect(get(2).out).toEqual(['2']);
    expect(lose(3)).toEqual(['lost 3', '4']);
  });

  test('one that is forgotten while its earlier numbers are asked for has lost nothing', () => {
    const { buffer, get } = bufferOf(true);
    get(300);
    expect(released(buffer.releaseAll())).toEqual(['300']);
  });

  test('one that goes on from a high number is not asked for thousands of messages', () => {
    const { get } = bufferOf(true);
    expect(get(100_000)).toEqual({ out: ['100000'], ask: [] });
  });
});

describe('gaps', () => {
  test('a number is lost once, and only while it is missing', () => {
    const { get, lose } = bufferOf();
    get(1);
    get(3);
    expect(lose(2)).toEqual(['lost 2', '3']);
    expect(lose(2)).toEqual([]);
    expect(lose(1)).toEqual([]);
  });

  test('what was given up and arrives after all is given out late, and once', () => {
    const { get, lose, buffer } = bufferOf();
    get(1);
    get(3);
    expect(lose(2)).toEqual(['lost 2', '3']);
    expect(buffer.has(2)).toBe(false);
    expect(get(2)).toEqual({ out: ['2'], ask: [] });
    expect(buffer.has(2)).toBe(true);
    expect(get(2)).toEqual({ out: [], ask: [] });
    expect(lose(2)).toEqual([]);
    expect(get(4)).toEqual({ out: ['4'], ask: [] });
  });

  test('what was given up behind another hole and arrives before that is filled comes in its place', () => {
    const { get, lose, buffer } = bufferOf();
    get(1);
    get(4);
    expect(lose(3)).toEqual([]);
    expect(buffer.has(3)).toBe(false);
    expect(get(3)).toEqual({ out: [], ask: [] });
    expect(buffer.has(3)).toBe(true);
    expect(lose(3)).toEqual([]);
    expect(get(2)).toEqual({ out: ['2', '3', '4'], ask: [] });
  });

  test('what was given up before a jump and arrives after it is given out late', () => {
    const { get } = bufferOf();
    get(1);
    get(3);
    expect(get(5000).out).toEqual(['lost 2', '3', '5000']);
    expect(get(2).out).toEqual(['2']);
    expect(get(2).out).toEqual([]);
  });

  test('what was refused is not given out when it comes again', () => {
    const { get, buffer } = bufferOf();
    get(1);
    expect(released(buffer.onRefused(2))).toEqual(['lost 2']);
    expect(buffer.has(2)).toBe(true);
    expect(get(2)).toEqual({ out: [], ask: [] });
    expect(released(buffer.onRefused(4))).toEqual([]);
    expect(buffer.has(4)).toBe(true);
    expect(get(3).out).toEqual(['3', 'lost 4']);
  });

  test('numbers wrap', () => {
    const { get, open } = bufferOf();
    const last = SEQUENCE_LIMIT - 1;
    get(last - 1);
    expect(open()).toEqual([String(last - 1)]);
    expect(get(1)).toEqual({ out: [], ask: [last, 0] });
    expect(get(0).out).toEqual([]);
    expect(get(last).out).toEqual([String(last), '0', '1']);
  });

  test('trap 12: a jump further than a sender keeps is a new stream, not a gap of that size', () => {
    const { get } = bufferOf();
    get(1);
    expect(get(513).ask).toHaveLength(511);
    const jump = get(1_000_000_000);
    expect(jump.ask).toEqual([]);
    expect(jump.out.slice(0, 2)).toEqual(['lost 2', 'lost 3']);
    expect(jump.out.slice(-2)).toEqual(['513', '1000000000']);
    expect(get(1_000_000_001)).toEqual({ out: ['1000000001'], ask: [] });
  });

  test('a jump reports what it skips over, between what waited', () => {
    const { get } = bufferOf();
    get(1);
    get(3);
    get(5);
    expect(get(5000).out).toEqual(['lost 2', '3', 'lost 4', '5', '5000']);
  });

  test('a number asked for before the sender jumped around the whole range is no reason to report millions of losses', () => {
    const { get, lose } = bufferOf();
    get(1);
    get(3);
    get(1_000_000_000);
    get(2_000_000_000);
    expect(lose(2)).toEqual([]);
    expect(get(500_000_000).out.length).toBeLessThan(1000);
  });

  test('what was given out before a jump is not given out again after it', () => {
    const { get } = bufferOf();
    get(1);
    get(2);
    get(4);
    get(5000);
    for (const id of [1, 2, 4, 5000]) expect(get(id)).toEqual({ out: [], ask: [] });
  });
});

/** Numbers 1 … n in any order, some of them twice. */
const shuffled = fc.integer({ min: 1, max: 40 }).chain((count) =>
  fc.tuple(
    fc.shuffledSubarray(
      Array.from({ length: count * 2 }, (_, index) => (index % count) + 1),
      { minLength: count * 2 },
    ),
    fc.boolean(),
  ),
);

describe('properties', () => {
  test('from a sender that joins after us each number comes out once and in order, however they arrive', () => {
    fc.assert(
      fc.property(shuffled, ([ids]) => {
        const { get } = bufferOf(true);
        const out = ids.flatMap((id) => get(id).out);
        const count = Math.max(...ids);
        expect(out).toEqual(Array.from({ length: count }, (_, index) => String(index + 1)));
      }),
    );
  });

  test('from a sender that was there before each number comes out once, those from the start on in order', () => {
    fc.assert(
      fc.property(shuffled, ([ids]) => {
        const { get } = bufferOf();
        const out = ids.flatMap((id) => get(id).out.map(Number));
        const first = ids[0]!;
        expect([...out].sort((a, b) => a - b)).toEqual([...new Set(ids)].sort((a, b) => a - b));
        const fromStart = out.filter((id) => id >= first);
        expect(fromStart).toEqual([...fromStart].sort((a, b) => a - b));
      }),
    );
  });

  test('with arrivals and losses of any numbers: nothing twice, nothing lost that was given out, a bounded number asked for', () => {
    const id = fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 2000 }), fc.nat({ max: SEQUENCE_LIMIT / 4 }));
    const step = fc.record({ id, isLost: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, startsAtOne) => {
        const { get, lose } = bufferOf(startsAtOne);
        const seen = new Set<string>();
        for (const step of steps) {
          const { out, ask } = step.isLost ? { out: lose(step.id), ask: [] } : get(step.id);
          expect(ask.length).toBeLessThanOrEqual(512);
          for (const item of out) {
            // Only what was lost may come after all.
            expect(seen.has(item) || seen.has(item.replace('lost ', '')), `${item} again`).toBe(false);
            seen.add(item);
          }
        }
      }),
    );
  });
});
