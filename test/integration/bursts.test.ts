import { expect, test } from 'vitest';

import { connect, group, startNode } from './support.js';

/** More than a queue and a window take. */
const COUNT = 17_000;

test.each([false, true])(
  'a burst of thousands by the contract of writable(): all arrive, in order, and the rest of the process has its turns (MLS: %s)',
  async (mls) => {
    const node = await startNode();
    const apps = [
      await connect(node, 'org/ns/alice'),
      await connect(node, 'org/ns/bob', { messageDelivery: 'events' }),
    ];
    const [alice, bob] = await group(apps, { mls });
    const heard: (string | undefined)[] = [];
    bob!.session.onEvent((event) => {
      if (event.kind === 'message') heard.push(event.message.text);
    });

    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    let unsettled = 0;
    let mostUnsettled = 0;
    const failed: unknown[] = [];
    for (let index = 0; index < COUNT; index += 1) {
      await alice!.session.writable();
      unsettled += 1;
      mostUnsettled = Math.max(mostUnsettled, unsettled);
      alice!.session.publish(`text ${String(index)}`).then(
        () => (unsettled -= 1),
        (error: unknown) => failed.push(error),
      );
    }
    isOver = true;
    await bob!.events.until(() => heard.length >= COUNT);

    expect(failed).toEqual([]);
    expect(heard).toEqual(Array.from({ length: COUNT }, (_, index) => `text ${String(index)}`));
    // 256 that are not acknowledged, 256 that wait, and who was let through in that moment.
    expect(mostUnsettled).toBeLessThan(600);
    expect(turns).toBeGreaterThan(COUNT / 600);
  },
  // Six seconds on a quiet machine.
  120_000,
);
