import { describe, expect, test } from 'vitest';

import type { Invitation } from '../../src/client/index.js';
import { connect, startNode, texts } from './support.js';

/** What an app was asked, as it comes. */
class Questions {
  readonly #asked: { readonly invitation: Invitation; readonly answer: (accepts: boolean) => void }[] = [];
  #onAsked: () => void = () => {};

  readonly accept = (invitation: Invitation): Promise<boolean> =>
    new Promise((resolve) => {
      this.#asked.push({ invitation, answer: resolve });
      this.#onAsked();
    });

  /** Resolves when there are `count`. */
  async first(count: number) {
    while (this.#asked.length < count) {
      await new Promise<void>((resolve) => {
        this.#onAsked = resolve;
      });
    }
    return this.#asked;
  }
}

describe.each([
  ['without MLS', false],
  ['with MLS', true],
])('an invitation on the embedded node %s', (_, mls) => {
  test('waits for its answer, and the member then hears and is heard', async () => {
    const node = await startNode();
    const questions = new Questions();
    const m = await connect(node, 'org/ns/m');
    const a = await connect(node, 'org/ns/a', { acceptInvitation: questions.accept });
    const session = await m.app.createSession({ channel: 'org/ns/chat', mls, timeoutMs: 100, maxRetries: 50 });
    const invited = session.invite('org/ns/a');
    const [question] = await questions.first(1);
    expect(question?.invitation).toMatchObject({ sessionId: session.id, from: m.app.name, mls });
    // Long enough for a repetition of the request, which is then the one that is answered.
    await expect(a.app.listenForSession({ timeoutMs: 250 })).rejects.toMatchObject({ code: 'timeout' });
    question?.answer(true);
    const theirs = await a.app.listenForSession();
    await invited;
    await session.publish('hello');
    expect(await texts(theirs, 1)).toEqual(['hello']);
    await theirs.publish('hi');
    expect(await texts(session, 1)).toEqual(['hi']);
    expect((await questions.first(1)).length).toBe(1);
  });

  test('that is declined ends for its inviter like one that nobody answers, and the next one may be accepted', async () => {
    const node = await startNode();
    const questions = new Questions();
    const m = await connect(node, 'org/ns/m');
    await connect(node, 'org/ns/a', { acceptInvitation: questions.accept });
    const session = await m.app.createSession({ channel: 'org/ns/chat', mls, timeoutMs: 50, maxRetries: 3 });
    const refused = session.invite('org/ns/a');
    (await questions.first(1))[0]?.answer(false);
    await expect(refused).rejects.toMatchObject({ code: 'invite-timeout' });
    const again = session.invite('org/ns/a');
    (await questions.first(2))[1]?.answer(true);
    await again;
    expect(session.members).toHaveLength(2);
  });

  test.each([
    ['first', [0, 1]],
    ['second', [1, 0]],
  ])('of one of two moderators at once is answered alone, the %s one first', async (_, order) => {
    const node = await startNode();
    const questions = new Questions();
    const a = await connect(node, 'org/ns/a', { acceptInvitation: questions.accept });
    const moderators = [await connect(node, 'org/ns/m1'), await connect(node, 'org/ns/m2')];
    const invitations: Promise<unknown>[] = [];
    for (const [index, { app }] of moderators.entries()) {
      const channel = `org/ns/chat-${String(index)}`;
      const session = await app.createSession({ channel, mls, timeoutMs: 100, maxRetries: 50 });
      invitations.push(session.invite('org/ns/a'));
      await questions.first(index + 1);
    }
    const asked = await questions.first(2);
    for (const index of order) {
      asked[index]?.answer(true);
      const joined = await a.app.listenForSession();
      expect(joined.channel.toString()).toBe(`org/ns/chat-${String(index)}`);
      await invitations[index];
    }
  });
});

test('an invitation whose node goes away and comes back is still one question', async () => {
  const first = await startNode();
  const questions = new Questions();
  const m = await connect(first, 'org/ns/m');
  const a = await connect(first, 'org/ns/a', { acceptInvitation: questions.accept });
  const session = await m.app.createSession({ channel: 'org/ns/chat', timeoutMs: 100, maxRetries: 100 });
  const invited = session.invite('org/ns/a');
  const [question] = await questions.first(1);
  const port = Number(new URL(first.endpoint).port);
  await first.close();
  const lost = [m, a].map(({ events }) =>
    events.next((event) => event.kind === 'connection' && event.state.kind === 'lost'),
  );
  await Promise.all(lost);
  const ups = [m, a].map(({ events }) => events.events.filter(isUp).length);
  await startNode(port);
  for (const [index, { events }] of [m, a].entries()) {
    await events.until(() => events.events.filter(isUp).length > (ups[index] ?? 0));
  }
  question?.answer(true);
  await invited;
  expect((await questions.first(1)).length).toBe(1);
  expect(a.app.sessions).toHaveLength(1);
});

function isUp(event: { readonly kind: string; readonly state?: { readonly kind: string } }): boolean {
  return event.kind === 'connection' && event.state?.kind === 'up';
}
