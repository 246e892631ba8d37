import { expect, test } from 'vitest';

import type { Effect, Env } from '../../src/protocol/index.js';
import { MlsOperations } from '../../src/protocol/mls-operations.js';
import { done } from './mls-rig.js';

const env: Env = { nowMs: 0, wallMs: 0, isReceiveQueueFull: false, randomU32: () => 1 };

function idOf([effect]: readonly Effect[]): number {
  if (effect?.kind !== 'mls') throw new Error('not a request');
  return effect.id;
}

test('a request whose effect got lost does not give its answer to the next one', () => {
  const operations = new MlsOperations();
  const answered: string[] = [];
  const ask = (what: string) =>
    operations.request({ op: 'createGroup' }, () => {
      answered.push(what);
      return [];
    });
  ask('lost');
  const id = idOf(ask('asked'));
  operations.onResult(id, done('', 0), env);
  expect(answered).toEqual(['asked']);
});

test('an answer counts once', () => {
  const operations = new MlsOperations();
  const id = idOf(operations.request({ op: 'createGroup' }, () => []));
  operations.onResult(id, done('', 0), env);
  expect(() => operations.onResult(id, done('', 0), env)).toThrow('nobody asked');
});
