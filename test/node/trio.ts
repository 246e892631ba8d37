import { randomUUID } from 'node:crypto';

import { Name } from '../../src/name/index.js';
import { publish, type PublishOptions, type RawClient, subscription, TestMember } from './raw-client.js';

/** Texts that each of the three got. */
export type Deliveries = Readonly<Record<'c1' | 'c2' | 'c3', readonly string[]>>;

export const nobody: Deliveries = { c1: [], c2: [], c3: [] };
export const onlyC2: Deliveries = { ...nobody, c2: ['hello'] };
export const onlyC3: Deliveries = { ...nobody, c3: ['hello'] };
export const c2AndC3: Deliveries = { ...nobody, c2: ['hello'], c3: ['hello'] };

/** Three connections to a node and a name N that nobody else has: the stage of data-plane.md 6.7. */
export class Trio {
  readonly url: string;
  /** N without id. */
  readonly n = Name.of('test', 'rows', randomUUID());
  readonly c1: TestMember;
  readonly c2: TestMember;
  readonly c3: TestMember;

  readonly #opened: RawClient[];

  private constructor(url: string, c1: TestMember, c2: TestMember, c3: TestMember) {
    this.url = url;
    this.c1 = c1;
    this.c2 = c2;
    this.c3 = c3;
    this.#opened = [c1.raw, c2.raw, c3.raw];
  }

  static async open(url: string): Promise<Trio> {
    const c1 = await TestMember.join(url);
    const c2 = await TestMember.join(url, c1);
    const c3 = await TestMember.join(url, c1);
    await c1.settle(c2);
    return new Trio(url, c1, c2, c3);
  }

  close(): void {
    for (const raw of this.#opened) raw.close();
  }

  /** N with an id. */
  id(value: number): Name {
    return this.n.withId(BigInt(value));
  }

  /** One more connection. */
  async join(witness: TestMember, url = this.url): Promise<TestMember> {
    const member = await TestMember.join(url, witness);
    this.#opened.push(member.raw);
    return member;
  }

  /** Resolves when the node has obeyed. */
  async subscribe(member: TestMember, name: Name, subscriptionId = 0n): Promise<void> {
    member.raw.send(subscription('subscribe', name, subscriptionId));
    await member.settle(member === this.c1 ? this.c2 : this.c1);
  }

  /** Resolves when the node has obeyed. */
  async unsubscribe(member: TestMember, name: Name, subscriptionId = 0n): Promise<void> {
    member.raw.send(subscription('unsubscribe', name, subscriptionId));
    await member.settle(member === this.c1 ? this.c2 : this.c1);
  }

  /** What each of the three got of the messages that c1 sends. */
  async deliveries(...messages: readonly Uint8Array[]): Promise<Deliveries> {
    const { c1, c2, c3 } = this;
    const before = { c1: c1.raw.texts.length, c2: c2.raw.texts.length, c3: c3.raw.texts.length };
    c1.raw.send(...messages);
    const alive = [c2, c3].filter((member) => member.raw.status === undefined);
    for (const member of alive) {
      await c1.mark(member);
      await member.mark(c1);
    }
    return {
      c1: c1.raw.texts.slice(before.c1),
      c2: c2.raw.texts.slice(before.c2),
      c3: c3.raw.texts.slice(before.c3),
    };
  }

  /** The index of a member at the node, as a witness sees it. */
  async indexOf(member: TestMember, witness: TestMember): Promise<bigint> {
    await member.mark(witness);
    const last = witness.raw.messages.at(-1);
    if (last?.kind !== 'publish' || last.header.incomingConn === undefined) throw new Error('no incoming_conn');
    return last.header.incomingConn;
  }

  /** Resolves when the node sends nothing to a member any more: c3 takes its name, and then gets all of 20 messages for one. */
  async gone(member: TestMember): Promise<void> {
    await this.subscribe(this.c3, member.name);
    const end = Date.now() + 5_000;
    for (let streak = 0; streak < 20;) {
      if (Date.now() > end) throw new Error('a connection that is gone still gets messages');
      const { c3 } = await this.deliveries(hello(member.name, 1));
      streak = c3.length > 0 ? streak + 1 : 0;
    }
  }
}

/** A publish of `hello`. */
export function hello(destination: Name, fanout: number, options: PublishOptions = {}): Uint8Array {
  return publish(destination, 'hello', { fanout, ...options });
}
