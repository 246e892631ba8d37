import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { CompletionHandle } from '../../src/client/completion-handle.js';
import type { MlsRunner } from '../../src/client/mls-session.js';
import { SessionDriver, type SessionLink } from '../../src/client/session-driver.js';
import type { Effect, Env, Input, MlsResult, SessionMachine } from '../../src/protocol/index.js';
import { InternalError, SessionError } from '../../src/util/index.js';
import { A, message, msg } from '../protocol/support.js';
import { outcomeOf, pass, settle } from './support.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A driver of a machine that does what a test says. */
function driverOf(handle: (input: Input, env: Env) => Effect[], isUp = true, mls?: MlsRunner) {
  const inputs: Input[] = [];
  const log: string[] = [];
  const machine: SessionMachine = {
    handle: (input, env) => {
      inputs.push(input);
      return handle(input, env);
    },
    members: [],
    lastPublishedId: 0,
    queued: { count: 0, bytes: 0 },
  };
  const link: SessionLink = {
    isUp,
    send: () => log.push('send'),
    subscribe: (name) => log.push(`subscribe ${name.toString()}`),
    unsubscribe: (name) => log.push(`unsubscribe ${name.toString()}`),
  };
  const hooks: { onNotice: () => void } = { onNotice: () => {} };
  const driver = new SessionDriver(
    machine,
    link,
    {
      onNotice: (notice) => {
        log.push(notice.kind);
        hooks.onNotice();
      },
      onDelivery: (handle) => log.push(`delivery ${handle.state}`),
      onEnd: (reason) => log.push(`end ${reason}`),
      onWarning: (code, text) => log.push(`${code}: ${text}`),
      onDrained: () => {},
      isReceiveQueueFull: () => false,
    },
    mls,
  );
  return { driver, inputs, log, hooks };
}

const notify: Effect = { kind: 'notify', notice: { kind: 'lost', from: A, messageId: 1 } };

test('effects are executed in order', () => {
  const { driver, log } = driverOf(() => [
    { kind: 'subscribe', name: A },
    notify,
    { kind: 'unsubscribe', name: A },
    { kind: 'end', reason: 'left' },
  ]);
  driver.post({ kind: 'linkUp' });
  expect(log).toEqual([`subscribe ${A.toString()}`, 'lost', `unsubscribe ${A.toString()}`, 'end left']);
});

test('an input that is posted from inside an effect waits until all effects before it are done', () => {
  const { driver, inputs, log, hooks } = driverOf((input) =>
    input.kind === 'linkUp' ? [notify, { kind: 'end', reason: 'left' }] : [{ kind: 'subscribe', name: A }],
  );
  hooks.onNotice = () => {
    driver.post({ kind: 'linkDown' });
    expect(inputs.map(({ kind }) => kind)).toEqual(['linkUp']);
  };
  driver.post({ kind: 'linkUp' });
  expect(inputs.map(({ kind }) => kind)).toEqual(['linkUp', 'linkDown']);
  expect(log).toEqual(['lost', 'end left', `subscribe ${A.toString()}`]);
});

test('one step sees one moment, whatever happens in it', () => {
  const seen: unknown[] = [];
  const { driver } = driverOf((_, env) => {
    const before = [env.nowMs, env.wallMs];
    vi.advanceTimersByTime(1000);
    vi.setSystemTime(Date.now() + 5000);
    seen.push(before, [env.nowMs, env.wallMs]);
    return [];
  });
  driver.post({ kind: 'linkUp' });
  driver.post({ kind: 'linkUp' });
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[3]).toEqual(seen[2]);
  expect(seen[2]).not.toEqual(seen[0]);
});

test('a session that is made while the link is down knows it', () => {
  expect(driverOf(() => [], false).inputs).toEqual([{ kind: 'linkDown' }]);
  expect(driverOf(() => []).inputs).toEqual([]);
});

describe('timers', () => {
  test('become inputs; setting one again moves it; clearing one stops it', async () => {
    const plan: Effect[][] = [
      [
        { kind: 'setTimer', timer: 'acks', afterMs: 100 },
        { kind: 'setTimer', timer: 'rtx', afterMs: 150 },
      ],
      [{ kind: 'setTimer', timer: 'acks', afterMs: 100 }],
      [{ kind: 'clearTimer', timer: 'rtx' }],
    ];
    const { driver, inputs } = driverOf(() => plan.shift() ?? []);
    driver.post({ kind: 'linkUp' });
    await pass(50);
    driver.post({ kind: 'linkUp' });
    await pass(50);
    driver.post({ kind: 'linkUp' });
    await pass(49);
    expect(inputs.filter(({ kind }) => kind === 'timer')).toEqual([]);
    await pass(1);
    expect(inputs.at(-1)).toEqual({ kind: 'timer', timer: 'acks' });
    await pass(1000);
    expect(inputs.filter(({ kind }) => kind === 'timer')).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('commands', () => {
  test('settle once, with a member or an error', async () => {
    const error = new SessionError('participant-not-found', 'no');
    const { driver } = driverOf((input) => {
      if (input.kind !== 'command') return [];
      const first: Effect =
        input.command.kind === 'invite'
          ? { kind: 'settle', id: input.id, member: A }
          : { kind: 'settle', id: input.id, error };
      return [first, { kind: 'settle', id: input.id }];
    });
    const invited = outcomeOf(driver.run({ kind: 'invite', name: A }));
    const removed = outcomeOf(driver.run({ kind: 'remove', name: A }));
    await settle();
    expect(invited).toMatchObject({ value: A, count: 1 });
    expect(removed).toMatchObject({ error, count: 1 });
  });

  test('a handle hears nothing after its end', () => {
    const progress = { messageId: 1, acked: [], missing: [] };
    const { driver, log } = driverOf((input) =>
      input.kind === 'command'
        ? (['sent', 'acked', 'failed'] as const).map((state) => ({ kind: 'delivery', id: input.id, state, progress }))
        : [],
    );
    const handle = new CompletionHandle();
    driver.publish({ kind: 'publish', payload: new Uint8Array(0), payloadType: '', metadata: {} }, handle);
    expect(log).toEqual(['delivery sent', 'delivery acked']);
    expect(handle.state).toBe('acked');
  });
});

describe('a machine that throws, which is a bug', () => {
  test('costs the one input, and is told', async () => {
    const { driver, log } = driverOf((input) => {
      if (input.kind !== 'linkUp') throw new Error('oops');
      return [notify];
    });
    driver.post({ kind: 'message', message: msg(A, 1), subject: 'x' });
    const command = outcomeOf(driver.run({ kind: 'close' }));
    const handle = new CompletionHandle();
    driver.publish({ kind: 'publish', payload: new Uint8Array(0), payloadType: '', metadata: {} }, handle);
    driver.post({ kind: 'linkUp' });
    await settle();
    expect(log.filter((line) => line.startsWith('protocol-violation'))).toHaveLength(3);
    expect(log.at(-1)).toBe('lost');
    expect(command.error).toBeInstanceOf(InternalError);
    expect(handle.state).toBe('failed');
  });
});

test('a burst with MLS lets others have their turn, and is handled in order all the same', () => {
  let id = 0;
  const runner: MlsRunner = { run: () => ({ ok: true, bytes: new Uint8Array(), epoch: 1 }), free: () => {} };
  const asks = (input: Input): Effect[] => {
    if (input.kind !== 'command') return [];
    id += 1;
    return [{ kind: 'mls', id, request: { op: 'encrypt', payload: new Uint8Array() } }];
  };
  const { driver, inputs } = driverOf(asks, true, runner);
  const handled = () => inputs.flatMap((input) => (input.kind === 'mlsResult' ? [input.id] : []));
  const publish = { kind: 'publish', payload: new Uint8Array(), payloadType: '', metadata: {} } as const;
  for (let sent = 0; sent < 100; sent += 1) driver.publish(publish, new CompletionHandle());

  const inFirstTurn = handled().length;
  let turns = 1;
  for (; handled().length < 100 && turns < 200; turns += 1) vi.runOnlyPendingTimers();
  expect(inFirstTurn).toBeGreaterThan(0);
  expect(inFirstTurn).toBeLessThan(40);
  expect(turns).toBeGreaterThan(2);
  expect(handled()).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  expect(inputs.map(({ kind }) => kind)).toEqual(Array.from({ length: 100 }, () => ['command', 'mlsResult']).flat());
});

describe('while MLS is at work', () => {
  /** A machine that encrypts what is published, with a runner that answers when the test says. */
  function slow() {
    const answers: ((result: MlsResult) => void)[] = [];
    const runner: MlsRunner = {
      run: () => new Promise((resolve) => answers.push(resolve)),
      free: () => {},
    };
    let id = 0;
    const rig = driverOf(
      (input) => {
        if (input.kind !== 'command' || input.command.kind !== 'publish') return [];
        id += 1;
        return [{ kind: 'mls', id, request: { op: 'encrypt', payload: new Uint8Array() } }];
      },
      true,
      runner,
    );
    const answer = async (): Promise<void> => {
      answers.shift()?.({ ok: true, bytes: new Uint8Array(), epoch: 1 });
      await settle();
    };
    return { ...rig, answer };
  }
  const publish = { kind: 'publish', payload: new Uint8Array(1000), payloadType: '', metadata: {} } as const;

  test('own messages that wait are counted, and those that are taken back never reach the machine', async () => {
    const { driver, inputs, log, answer } = slow();
    const handles = Array.from({ length: 5 }, () => new CompletionHandle());
    for (const handle of handles) driver.publish(publish, handle);
    expect(driver.queued).toEqual({ count: 4, bytes: 4000 });
    driver.cancel(handles[2]!);
    expect(log).toEqual(['delivery failed']);
    expect(handles[2]!.error).toMatchObject({ code: 'cancelled' });
    expect(driver.queued).toEqual({ count: 3, bytes: 3000 });
    for (let count = 0; count < 5; count += 1) await answer();
    const ids = inputs.flatMap((input) => (input.kind === 'command' ? [input.id] : []));
    expect(ids).toEqual([1, 2, 4, 5]);
    expect(driver.queued).toEqual({ count: 0, bytes: 0 });
  });

  test('what takes back a message that the machine has goes before the answer of MLS', async () => {
    const { driver, inputs, answer } = slow();
    const [first, second] = [new CompletionHandle(), new CompletionHandle()];
    driver.publish(publish, first);
    driver.publish(publish, second);
    driver.cancel(first);
    await answer();
    const kinds = inputs.map((input) => (input.kind === 'command' ? input.command.kind : input.kind));
    expect(kinds.slice(0, 3)).toEqual(['publish', 'cancel', 'mlsResult']);
  });

  test('payloads of peers that wait are bounded, and nothing else is lost', async () => {
    const { driver, inputs, answer } = slow();
    driver.publish(publish, new CompletionHandle());
    const large = msg(A, 1, 'x'.repeat(4_000_000));
    for (let count = 0; count < 30; count += 1) driver.post({ kind: 'message', message: large, subject: 'x' });
    const ack = message('msgAck', A);
    for (let count = 0; count < 20_000; count += 1) driver.post({ kind: 'message', message: ack, subject: 'x' });
    await answer();
    const got = inputs.flatMap((input) => (input.kind === 'message' ? [input.message] : []));
    expect(got.filter((one) => one === large)).toHaveLength(16);
    expect(got.filter((one) => one === ack)).toHaveLength(20_000);
    driver.post({ kind: 'message', message: large, subject: 'x' });
    const last = inputs.at(-1);
    expect(last?.kind === 'message' && last.message === large).toBe(true);
  });
});

test('a timer of a session of two hours and a thousand tries does not fire at once', async () => {
  const { driver, inputs } = driverOf((input) =>
    input.kind === 'linkUp' ? [{ kind: 'setTimer', timer: 'limbo', afterMs: 2 * 1001 * 3_600_000 }] : [],
  );
  driver.post({ kind: 'linkUp' });
  await pass(24 * 3_600_000);
  expect(inputs.map(({ kind }) => kind)).toEqual(['linkUp']);
});
