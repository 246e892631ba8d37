import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';

import { Name, NULL_ID } from '../../src/name/index.js';
import { routeKey } from '../../src/node/route-key.js';
import { Router } from '../../src/node/router.js';

const [c1, c2, c3] = [1, 2, 3];
const any = Name.of('org', 'ns', 'n');
const id = (value: number): Name => any.withId(BigInt(value));

/** The rows of data-plane.md 6.7 that are decisions; node-suite.ts has those of sockets, and these again over sockets. */
describe('routing table', () => {
  let draws: number[];
  let router: Router;
  beforeEach(() => {
    draws = [];
    router = new Router((limit) => {
      const draw = draws.shift() ?? 0;
      expect(draw).toBeLessThan(limit);
      return draw;
    });
    for (const connection of [c1, c2, c3]) router.connect(connection);
  });

  const subscribe = (connection: number, name: Name, subscriptionId = 0n): boolean =>
    router.subscribe(connection, routeKey(name), subscriptionId);
  const unsubscribe = (connection: number, name: Name, subscriptionId = 0n): string | undefined =>
    router.unsubscribe(connection, routeKey(name), subscriptionId);
  const route = (name: Name, fanout: number, incoming = c1): number[] =>
    [...router.route(routeKey(name), fanout, incoming)].sort();

  test('row 1: nobody is subscribed', () => {
    expect(route(id(5), 1)).toEqual([]);
  });

  test('rows 2 to 5: one subscriber with an id', () => {
    subscribe(c2, id(5));
    expect(route(id(5), 1)).toEqual([c2]);
    expect(route(any, 1)).toEqual([c2]);
    expect(route(id(6), 1)).toEqual([]);
    expect(route(id(6), 256)).toEqual([]);
  });

  test('rows 6 to 9: two subscribers with ids', () => {
    subscribe(c2, id(5));
    subscribe(c3, id(6));
    expect(route(id(7), 1)).toEqual([]);
    expect(route(id(6), 1)).toEqual([c3]);
    const turns = Array.from({ length: 40 }, () => route(any, 1)).flat();
    expect(turns.filter((turn) => turn === c2)).toHaveLength(20);
    expect(turns.filter((turn) => turn === c3)).toHaveLength(20);
    expect(route(any, 256)).toEqual([c2, c3]);
  });

  test('rows 10 and 11: all but the sender', () => {
    for (const connection of [c1, c2, c3]) subscribe(connection, any);
    for (const fanout of [256, 0, 2]) expect(route(any, fanout)).toEqual([c2, c3]);
  });

  test('rows 12 and 13: the sender alone', () => {
    subscribe(c1, any);
    subscribe(c1, id(5));
    expect(route(any, 256)).toEqual([]);
    expect(route(any, 1)).toEqual([]);
    expect(route(id(5), 1)).toEqual([]);
  });

  test('rows 14 and 15: subscribers without id do not get mail for an id', () => {
    subscribe(c2, any);
    expect(route(id(5), 1)).toEqual([]);
    subscribe(c3, any);
    expect(route(id(5), 1)).toEqual([]);
    expect(route(id(5), 256)).toEqual([]);
  });

  test('row 16: one copy for two subscriptions', () => {
    subscribe(c2, id(5));
    subscribe(c2, any);
    expect(router.route(routeKey(any), 256, c1)).toEqual([c2]);
  });

  test('row 17: two with the same id', () => {
    subscribe(c2, id(5));
    subscribe(c3, id(5));
    draws = [0, 1];
    expect(route(id(5), 1)).toEqual([c2]);
    expect(route(id(5), 1)).toEqual([c3]);
    expect(route(id(5), 256)).toEqual([c2, c3]);
  });

  test('row 18: never the sender, wherever the draw begins', () => {
    subscribe(c1, id(5));
    subscribe(c2, id(5));
    draws = [0, 1, 0, 1];
    for (let i = 0; i < 4; i++) expect(route(id(5), 1)).toEqual([c2]);
  });

  test('row 19: one of two ids taken back', () => {
    subscribe(c2, id(5));
    subscribe(c2, id(6));
    expect(unsubscribe(c2, id(5))).toBeUndefined();
    expect(route(any, 256)).toEqual([c2]);
    expect(route(id(5), 256)).toEqual([]);
  });

  test('row 20: subscribing twice counts once', () => {
    subscribe(c2, id(5));
    subscribe(c2, id(5));
    expect(router.subscriptionCount).toBe(1);
    expect(unsubscribe(c2, id(5))).toBeUndefined();
    expect(route(id(5), 256)).toEqual([]);
  });

  test('rows 21 and 22: subscription ids', () => {
    subscribe(c2, id(5), 10n);
    expect(unsubscribe(c2, id(5), 99n)).toBe('no-such-subscription');
    subscribe(c2, id(5), 11n);
    expect(unsubscribe(c2, id(5), 10n)).toBeUndefined();
    expect(unsubscribe(c2, id(5), 10n)).toBe('no-such-subscription');
    expect(route(id(5), 1)).toEqual([c2]);
    expect(unsubscribe(c2, id(5), 11n)).toBeUndefined();
    expect(route(id(5), 1)).toEqual([]);
  });

  test('row 23: an unsubscribe of what is not subscribed', () => {
    expect(unsubscribe(c2, id(5))).toBe('no-such-name');
    subscribe(c3, id(5));
    expect(unsubscribe(c2, id(5))).toBe('not-subscribed');
    expect(route(id(5), 1)).toEqual([c3]);
  });

  test('row 24: an unsubscribe of an id that only somebody else has', () => {
    subscribe(c2, id(6));
    subscribe(c3, id(5));
    expect(unsubscribe(c2, id(5))).toBe('not-subscribed');
    expect(route(any, 256)).toEqual([c2, c3]);
    router.disconnect(c2);
    expect(route(any, 256)).toEqual([c3]);
  });

  test('row 25: a connection that is gone', () => {
    subscribe(c2, id(5));
    subscribe(c2, any);
    router.disconnect(c2);
    router.disconnect(c2);
    expect(route(id(5), 1)).toEqual([]);
    expect(route(any, 256)).toEqual([]);
    expect(router.subscriptionCount).toBe(0);
    expect(subscribe(c2, id(5))).toBe(false);
  });

  test('row 35: numbers count, strings do not', () => {
    const a = Name.fromWire(['org', 'ns', 'n'], [1n, 2n, 3n], NULL_ID);
    const b = Name.fromWire(['other', 'strings', 'here'], [1n, 2n, 3n], NULL_ID);
    const c = Name.fromWire(['org', 'ns', 'n'], [1n, 2n, 3n + (1n << 32n)], NULL_ID);
    subscribe(c2, a);
    subscribe(c3, c);
    expect(route(b, 256)).toEqual([c2]);
    expect(route(c, 256)).toEqual([c3]);
  });

  test('round robin goes on when members come and go', () => {
    for (const connection of [c1, c2, c3]) subscribe(connection, any);
    expect(route(any, 1, 0)).toEqual([c1]);
    expect(route(any, 1, 0)).toEqual([c2]);
    router.disconnect(c1);
    const turns = Array.from({ length: 4 }, () => route(any, 1, 0)).flat();
    expect(new Set(turns)).toEqual(new Set([c2, c3]));
  });
});

/** The same table in the words of the specification: a list of facts, searched from end to end. */
class PlainTable {
  facts: { connection: number; name: string; id: number; subscriptionId: bigint }[] = [];

  subscribe(connection: number, name: string, nameId: number, subscriptionId: bigint): void {
    this.unsubscribe(connection, name, nameId, subscriptionId);
    this.facts.push({ connection, name, id: nameId, subscriptionId });
  }

  unsubscribe(connection: number, name: string, nameId: number, subscriptionId: bigint): boolean {
    const before = this.facts.length;
    this.facts = this.facts.filter(
      (fact) =>
        fact.connection !== connection ||
        fact.name !== name ||
        fact.id !== nameId ||
        fact.subscriptionId !== subscriptionId,
    );
    return this.facts.length < before;
  }

  candidates(name: string, nameId: number, incoming: number): Set<number> {
    return new Set(
      this.facts
        .filter((fact) => fact.name === name && (nameId === 0 || fact.id === nameId) && fact.connection !== incoming)
        .map((fact) => fact.connection),
    );
  }
}

test('agrees with a plain list of facts, whatever happens', () => {
  const connection = fc.nat({ max: 4 });
  const names = fc.constantFrom('a', 'b');
  // 0 stands for "any instance".
  const nameId = fc.nat({ max: 3 });
  const subscriptionId = fc.constantFrom(0n, 1n, 2n);
  const step = fc.oneof(
    fc.tuple(fc.constant('subscribe' as const), connection, names, nameId, subscriptionId),
    fc.tuple(fc.constant('unsubscribe' as const), connection, names, nameId, subscriptionId),
    fc.tuple(fc.constant('route' as const), connection, names, nameId, fc.constantFrom(0n, 1n)),
    fc.tuple(fc.constant('reconnect' as const), connection, names, nameId, subscriptionId),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.nat(), (steps, seed) => {
      const router = new Router((limit) => seed % limit);
      const plain = new PlainTable();
      for (let i = 0; i <= 4; i++) router.connect(i);
      for (const [kind, who, app, instance, number] of steps) {
        const key = routeKey(Name.of('org', 'ns', app, instance === 0 ? NULL_ID : BigInt(instance)));
        if (kind === 'subscribe') {
          router.subscribe(who, key, number);
          plain.subscribe(who, app, instance, number);
        } else if (kind === 'unsubscribe') {
          expect(router.unsubscribe(who, key, number) === undefined).toBe(
            plain.unsubscribe(who, app, instance, number),
          );
        } else if (kind === 'reconnect') {
          router.disconnect(who);
          router.connect(who);
          plain.facts = plain.facts.filter((fact) => fact.connection !== who);
        } else {
          const expected = plain.candidates(app, instance, who);
          const all = router.route(key, 256, who);
          expect(all.length).toBe(expected.size);
          expect(new Set(all)).toEqual(expected);
          const one = router.route(key, 1, who);
          expect(one.length).toBe(Math.min(1, expected.size));
          for (const target of one) expect(expected).toContain(target);
        }
      }
      const pairs = new Set(plain.facts.map((fact) => `${fact.connection} ${fact.name} ${fact.id}`));
      expect(router.subscriptionCount).toBe(pairs.size);
      for (let i = 0; i <= 4; i++) router.disconnect(i);
      expect(router.subscriptionCount).toBe(0);
      expect(router.connectionCount).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('thousands of subscriptions are no burden for a publish', () => {
  const router = new Router(() => 0);
  for (let connection = 0; connection < 1_000; connection++) {
    router.connect(connection);
    for (let app = 0; app < 10; app++) {
      router.subscribe(connection, routeKey(Name.of('org', 'ns', `${connection}-${app}`)), 0n);
    }
  }
  const few = routeKey(Name.of('org', 'ns', '500-5'));
  router.connect(1_001);
  let found = 0;
  const start = process.cpuUsage();
  for (let i = 0; i < 100_000; i++) found += router.route(few, 256, 1_001).length;
  const { user } = process.cpuUsage(start);
  expect(found).toBe(100_000);
  // It takes about 15 ms. A search through the table would take minutes.
  expect(user).toBeLessThan(3_000_000);
});
