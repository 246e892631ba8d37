import { describe, expect, test } from 'vitest';

import { Name } from '../../src/name/index.js';
import { MessageBuilder } from '../../src/protocol/message-builder.js';
import {
  answer,
  begin,
  conclude,
  type MembershipRequest,
  type Outcome,
  requestOfApp,
  type Requester,
} from '../../src/protocol/requester.js';
import { SessionError } from '../../src/util/index.js';
import { A, B, groupConfig, M, requestTrace, SESSION_ID, trace } from './support.js';

const build = new MessageBuilder(groupConfig(M));
const CONTROLLER = Name.of('controller', 'controller', 'controller', 0n);
const controller: Requester = { kind: 'controller', source: CONTROLLER, messageId: 77 };
const error = new SessionError('invite-timeout', 'no answer');

describe('the application', () => {
  test('hears with its mark that its command is carried out, and how it ended', () => {
    const request = requestOfApp(5, { kind: 'invite', name: B.withoutId(), ref: 'r1' });
    expect(requestTrace(begin(request))).toEqual(['invite b* started app r1']);
    const effects = conclude([request], { member: B }, build);
    expect(effects).toEqual([
      {
        kind: 'notify',
        notice: { kind: 'invite', name: B.withoutId(), state: 'joined', member: B, by: 'app', ref: 'r1' },
      },
      { kind: 'settle', id: 5, member: B },
    ]);
  });

  test('a command without a mark has none in its notices', () => {
    const request = requestOfApp(5, { kind: 'remove', name: B });
    expect(begin(request)).toEqual([
      { kind: 'notify', notice: { kind: 'remove', name: B, state: 'started', by: 'app' } },
    ]);
    expect(requestTrace(conclude([request], {}, build))).toEqual(['remove b removed app']);
  });

  test('a failure is in both', () => {
    const request = requestOfApp(5, { kind: 'remove', name: B });
    expect(conclude([request], { error }, build)).toEqual([
      { kind: 'notify', notice: { kind: 'remove', name: B, state: 'failed', error, by: 'app' } },
      { kind: 'settle', id: 5, error },
    ]);
  });

  test('who has its answer gets no second one', () => {
    const requests = [requestOfApp(5, { kind: 'remove', name: B })];
    conclude(requests, {}, build);
    expect(conclude(requests, { error }, build)).toEqual([]);
  });
});

describe('a Controller (control-plane.md 1.7)', () => {
  test('gets one GroupAck with the id of its command when that is carried out', () => {
    const outcomes: Outcome[] = [{}, { member: B }];
    for (const outcome of outcomes) {
      expect(answer(controller, outcome, build)).toMatchObject([
        {
          kind: 'send',
          message: {
            source: M,
            destination: CONTROLLER,
            fanout: 1,
            sessionId: SESSION_ID,
            messageId: 77,
            content: { kind: 'groupAck' },
          },
        },
      ]);
    }
  });

  test('hears nothing of a failure, but who adds a member has what it wants (rule 8)', () => {
    expect(answer(controller, { error }, build)).toEqual([]);
    const isThere = new SessionError('already-in-group', 'is there');
    expect(trace(answer(controller, { error: isThere }, build))).toEqual(['groupAck > controller #77']);
  });

  test('the application is told that it was a Controller', () => {
    const request: MembershipRequest = { kind: 'invite', name: A, from: controller };
    expect(requestTrace(begin(request))).toEqual(['invite a started controller']);
    expect(requestTrace(conclude([request], { error }, build))).toEqual(['invite a failed invite-timeout controller']);
  });
});

test('what the machine asks of itself, the application does not hear of', () => {
  const outcomes: Outcome[] = [];
  const onOutcome = (outcome: Outcome) => {
    outcomes.push(outcome);
    return [];
  };
  const request: MembershipRequest = { kind: 'remove', name: A, from: { kind: 'machine', onOutcome } };
  expect(begin(request)).toEqual([]);
  expect(conclude([request], { error }, build)).toEqual([]);
  expect(outcomes).toEqual([{ error }]);
});
