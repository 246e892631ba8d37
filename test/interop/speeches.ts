import { performance } from 'node:perf_hooks';

import type { Member, MemberEvent } from '../harness/index.js';

/** What a member published while the test went on: its messages are numbered from 0. */
export interface Speech {
  readonly label: string;
  readonly name: string;
  /** When each was published (`performance.now()` of the test). */
  readonly saidAtMs: readonly number[];
}

/** An event of a member by the clock of the test. */
export interface Told {
  readonly atMs: number;
  readonly event: MemberEvent;
}

/** Text of a message, and its ref. */
export function speechText(label: string, index: number): string {
  return `${label} goes on: ${index}`;
}

/** Events of a member, oldest first. */
export function toldBy(member: Member): readonly Told[] {
  return member.events.map((event) => ({ atMs: member.process.startedAtMs + event.atMs, event }));
}

/** A member that publishes again and again. */
export class Speaker implements Speech {
  readonly saidAtMs: number[] = [];

  readonly member: Member;

  readonly #timer: NodeJS.Timeout;

  constructor(member: Member, everyMs: number) {
    this.member = member;
    this.#timer = setInterval(() => {
      const text = speechText(member.label, this.saidAtMs.length);
      this.saidAtMs.push(performance.now());
      member.publish(text, text);
    }, everyMs);
  }

  get label(): string {
    return this.member.label;
  }

  get name(): string {
    return this.member.name;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether a message has its outcome in time, be it said by now or not. */
  async isSettled(index: number, timeoutMs: number): Promise<boolean> {
    const ref = speechText(this.label, index);
    const settled = await this.member.waitFor((event) => event.kind === 'settled' && event.ref === ref, timeoutMs);
    return settled !== undefined;
  }

  /** Waits until all others have heard the last message, or for so long. */
  async untilHeard(others: readonly Speaker[], timeoutMs: number): Promise<void> {
    const text = speechText(this.label, this.saidAtMs.length - 1);
    const isIt = (event: MemberEvent): boolean => event.kind === 'message' && event.text === text;
    await Promise.all(others.filter((other) => other !== this).map(({ member }) => member.waitFor(isIt, timeoutMs)));
  }

  /** Waits until every message has its outcome, or for so long. */
  async untilSettled(timeoutMs: number): Promise<void> {
    const isDone = (): boolean => outcomesOf(this, toldBy(this.member)).size >= this.saidAtMs.length;
    // A message without an outcome is for the judge, not for us.
    await this.member.process.waitUntil('outcomes', isDone, timeoutMs).catch(() => undefined);
  }
}

/** How a message ended for its sender, and when. */
export interface Outcome {
  readonly atMs: number;
  readonly error: string | undefined;
}

/** Outcomes of the messages of a speech by number; one that has none is missing. */
export function outcomesOf(speech: Speech, told: readonly Told[]): ReadonlyMap<number, Outcome> {
  const numbers = new Map(speech.saidAtMs.map((_, index) => [speechText(speech.label, index), index]));
  const outcomes = new Map<number, Outcome>();
  for (const { atMs, event } of told) {
    if (event.kind !== 'settled' || event.op !== 'publish') continue;
    const index = numbers.get(event.ref ?? '');
    if (index !== undefined && !outcomes.has(index)) outcomes.set(index, { atMs, error: event.error });
  }
  return outcomes;
}

/** Numbers of the messages of a speech that a listener got, in the order of their arrival. */
export function heardOf(speech: Speech, told: readonly Told[]): readonly number[] {
  const numbers = new Map(speech.saidAtMs.map((_, index) => [speechText(speech.label, index), index]));
  return told.flatMap(({ event }) => {
    if (event.kind !== 'message' || event.from !== speech.name) return [];
    const index = numbers.get(event.text ?? '');
    return index === undefined ? [] : [index];
  });
}
