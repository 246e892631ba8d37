import { describe, expect, test } from 'vitest';

import type { Name } from '../../src/name/index.js';
import { ControllerSender } from '../../src/protocol/controller-sender.js';
import { MessageBuilder } from '../../src/protocol/message-builder.js';
import { type Content, MessageType } from '../../src/wire/index.js';
import { A, B, C, CHANNEL, groupConfig, M, R, T, TestEnv, trace } from './support.js';

type RequestKind =
  'discoveryRequest' | 'joinRequest' | 'leaveRequest' | 'groupWelcome' | 'groupAdd' | 'groupRemove' | 'groupClose';

const CONTENTS: { readonly [K in RequestKind]: Content } = {
  discoveryRequest: { kind: 'discoveryRequest' },
  joinRequest: { kind: 'joinRequest', enableMls: false },
  leaveRequest: { kind: 'leaveRequest' },
  groupWelcome: { kind: 'groupWelcome', participants: [M, A] },
  groupAdd: { kind: 'groupAdd', newParticipant: C, participants: [M, A, B, C] },
  groupRemove: { kind: 'groupRemove', removedParticipant: C, participants: [M, A, B] },
  groupClose: { kind: 'groupClose', participants: [M, A, B] },
};

const ID = 9;

function controlOf() {
  const env = new TestEnv();
  const control = new ControllerSender(T, R);
  const build = new MessageBuilder(groupConfig(M));
  return {
    env,
    control,
    send: (kind: RequestKind, to: Name, expected: readonly Name[], id = ID) =>
      control.send(build.build(MessageType[kind], to, 1, id, CONTENTS[kind]), expected, env),
    pass: (ms: number) => {
      env.nowMs += ms;
      return control.onTimer(env);
    },
  };
}

describe('scenarios of the upstream tests', () => {
  test.each([
    ['discoveryRequest', A.withoutId()],
    ['joinRequest', A],
    ['leaveRequest', A],
    ['groupWelcome', A],
  ] as const)('%s: sent, repeated once, done with the reply', (kind, to) => {
    const { control, send, pass, env } = controlOf();
    const first = trace([send(kind, to, [to])]);
    expect(first).toHaveLength(1);
    expect(control.dueInMs(env.nowMs)).toBe(T);
    const { effects, failed } = pass(T);
    expect(trace(effects)).toEqual(first);
    expect(failed).toEqual([]);
    expect(control.onReply(ID, A)).toBe('complete');
    expect(control.dueInMs(env.nowMs)).toBeUndefined();
    expect(pass(T)).toEqual({ effects: [], failed: [] });
  });

  test.each(['groupAdd', 'groupRemove', 'groupClose'] as const)('%s: done only when all have answered', (kind) => {
    const { control, send } = controlOf();
    send(kind, CHANNEL, [A, B]);
    expect(control.onReply(ID, A)).toBe('partial');
    expect(control.onReply(ID, B)).toBe('complete');
  });

  test('the same answer twice does not count twice', () => {
    const { control, send } = controlOf();
    send('groupAdd', CHANNEL, [A, B]);
    expect(control.onReply(ID, A)).toBe('partial');
    expect(control.onReply(ID, A)).toBe('unknown');
    expect(control.onReply(ID, B)).toBe('complete');
    expect(control.onReply(ID, B)).toBe('unknown');
  });

  test('GroupRemove may wait for the removed one too', () => {
    const { control, send } = controlOf();
    send('groupRemove', CHANNEL, [A, C]);
    expect(control.onReply(ID, C)).toBe('partial');
    expect(control.onReply(ID, A)).toBe('complete');
  });
});

describe('who is meant', () => {
  test('full names: another instance of the same app is somebody else', () => {
    const { control, send } = controlOf();
    send('joinRequest', A, [A]);
    expect(control.onReply(ID, A.withId(5n))).toBe('unknown');
    expect(control.onReply(ID, A.withoutId())).toBe('unknown');
    expect(control.onReply(ID, A)).toBe('complete');
  });

  test.each([A.withoutId(), A, A.withId(5n)])(
    'trap 29: a discovery request to %s may be answered by any instance of the name',
    (to) => {
      const { control, send } = controlOf();
      send('discoveryRequest', to, [to]);
      expect(control.onReply(ID, B)).toBe('unknown');
      expect(control.onReply(ID, A.withId(6n))).toBe('complete');
    },
  );

  test('stray replies mean nothing: other ids, other members, after the end', () => {
    const { control, send } = controlOf();
    expect(control.onReply(ID, A)).toBe('unknown');
    send('groupAdd', CHANNEL, [A]);
    expect(control.onReply(ID + 1, A)).toBe('unknown');
    expect(control.onReply(ID, C)).toBe('unknown');
    control.cancel(ID);
    expect(control.onReply(ID, A)).toBe('unknown');
  });
});

describe('repetitions of what went to the channel', () => {
  test('go to those who have not answered, by name, under the same id (traps 5, 6 and 9)', () => {
    const env = new TestEnv();
    const control = new ControllerSender(T, R);
    const build = new MessageBuilder(groupConfig(M));
    control.send(build.build(MessageType.groupAdd, CHANNEL, 256, ID, CONTENTS.groupAdd), [A, B], env);
    control.onReply(ID, A);
    env.nowMs += T;
    expect(trace(control.onTimer(env).effects)).toEqual(['groupAdd > b #9 +c [m a b c]']);
    control.onLinkDown();
    expect(trace(control.onLinkUp(env, (id) => id))).toEqual(['groupAdd > b #9 +c [m a b c]']);
  });
});

describe('who does not answer', () => {
  test('is named when the request fails, one T after the last try', () => {
    const { send, pass, control } = controlOf();
    send('groupAdd', CHANNEL, [A, B]);
    control.onReply(ID, A);
    for (let tries = 0; tries < R; tries += 1) expect(pass(T).failed).toEqual([]);
    expect(pass(T)).toEqual({ effects: [], failed: [{ messageId: ID, missing: [B] }] });
    expect(control.onReply(ID, B)).toBe('unknown');
  });

  test('is not waited for any more when it is gone: requests complete by that', () => {
    const { send, control } = controlOf();
    send('groupAdd', CHANNEL, [A, B], 1);
    send('groupRemove', CHANNEL, [B], 2);
    send('joinRequest', C, [C], 3);
    expect(control.forget(B)).toEqual([2]);
    expect(control.onReply(1, A)).toBe('complete');
    expect(control.onReply(3, C)).toBe('complete');
    expect(control.forget(B)).toEqual([]);
  });
});

describe('the link', () => {
  test('while it is down nothing is repeated or given up; then everything goes out at once, with all its tries', () => {
    const { send, pass, control, env } = controlOf();
    send('joinRequest', A, [A], 1);
    send('joinRequest', B, [B], 2);
    for (let tries = 0; tries < R; tries += 1) pass(T);
    control.onLinkDown();
    expect(control.dueInMs(env.nowMs)).toBeUndefined();
    expect(pass(100 * T)).toEqual({ effects: [], failed: [] });
    expect(trace(control.onLinkUp(env, (id) => id + 10))).toEqual(['joinRequest > a #11', 'joinRequest > b #12']);
    expect(control.onReply(1, A)).toBe('unknown');
    for (let tries = 0; tries < R; tries += 1) expect(pass(T).effects).toHaveLength(2);
    expect(pass(T).failed).toHaveLength(2);
  });
});
