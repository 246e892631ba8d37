import { describe, expect, test, vi } from 'vitest';

import { guarded, Owned, Owner } from '../../src/mls/owned.js';
import { codeOf, failureOf } from '../compliance/mls-suite.js';

/** What a panic in wasm looks like from outside. */
function panic(): never {
  throw Object.assign(new Error('unreachable'), { name: 'RuntimeError' });
}

function refuse(message: string): never {
  throw new Error(message);
}

function owned(parent?: Owner): { free: ReturnType<typeof vi.fn>; one: Owned<{ free(): void }> } {
  const free = vi.fn();
  return { free, one: new Owned({ free }, parent) };
}

describe('an object of the engine', () => {
  test('is freed once', () => {
    const { free, one } = owned();
    one.free();
    one.free();
    expect(free).toHaveBeenCalledTimes(1);
  });

  test('is not reached any more after that', () => {
    const { one } = owned();
    one.free();
    const call = vi.fn();
    expect(codeOf(() => one.use(call))).toBe('mls-freed');
    expect(call).not.toHaveBeenCalled();
  });

  test('is dead after a panic and never touched again, not even to be freed', () => {
    const { free, one } = owned();
    expect(failureOf(() => one.use(panic))).toMatchObject({ code: 'mls-internal', cause: { name: 'RuntimeError' } });
    const call = vi.fn();
    expect(codeOf(() => one.use(call))).toBe('mls-internal');
    one.free();
    expect(call).not.toHaveBeenCalled();
    expect(free).not.toHaveBeenCalled();
  });

  test('takes the other one of the call along when it panics', () => {
    const [group, commit] = [owned(), owned()];
    expect(codeOf(() => group.one.use(() => commit.one.use(panic)))).toBe('mls-internal');
    expect(codeOf(() => group.one.use(() => 1))).toBe('mls-internal');
    expect(codeOf(() => commit.one.use(() => 1))).toBe('mls-internal');
  });

  test('lives on when the engine refuses something', () => {
    const { one } = owned();
    expect(codeOf(() => one.use(() => refuse('aead||AeadError')))).toBe('mls-aead');
    expect(one.use(() => 'fine')).toBe('fine');
  });

  test('lives on when another one in its call is freed', () => {
    const [group, commit] = [owned(), owned()];
    commit.one.free();
    expect(codeOf(() => group.one.use(() => commit.one.use(() => 1)))).toBe('mls-freed');
    expect(group.one.use(() => 'fine')).toBe('fine');
  });
});

describe('what the engine throws', () => {
  test('becomes a code, with what else is known', () => {
    expect(failureOf(() => guarded(() => refuse('lifetime-not-yet|1795477040|NotValidYet')))).toMatchObject({
      code: 'mls-lifetime-not-yet',
      details: { notBefore: 1795477040, detail: 'NotValidYet' },
      cause: { message: 'lifetime-not-yet|1795477040|NotValidYet' },
    });
    expect(failureOf(() => guarded(() => refuse('lifetime-expired|5|'))).details).toEqual({ notAfter: 5 });
    expect(failureOf(() => guarded(() => refuse('replay||'))).details).toEqual({});
  });

  test.each(['', 'anything else', 'no-such-code||x', 'toString||', 'aead'])('is a bug when it is "%s"', (message) => {
    expect(codeOf(() => guarded(() => refuse(message)))).toBe('mls-internal');
  });
});

describe('an owner', () => {
  test('frees what was not freed before', () => {
    const owner = new Owner();
    const [first, second, third] = [owned(owner), owned(owner), owned(owner)];
    first.one.free();
    expect(codeOf(() => third.one.use(panic))).toBe('mls-internal');
    owner.freeAll();
    expect(first.free).toHaveBeenCalledTimes(1);
    expect(second.free).toHaveBeenCalledTimes(1);
    expect(third.free).not.toHaveBeenCalled();
    expect(codeOf(() => second.one.use(() => 1))).toBe('mls-freed');
  });
});
