import { expect, type TestContext } from 'vitest';

import { Member, type MemberDialect } from './member.js';
import { type NodeProcess, startNode } from './node-process.js';
import { slimChatMember } from './slim-chat-member.js';

const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
const WAIT_MS = 30_000;

/** Members of one group and its node, which end with the test. */
export class LivingGroup {
  readonly #context: TestContext;
  readonly #node: NodeProcess;

  private constructor(context: TestContext, node: NodeProcess) {
    this.#context = context;
    this.#node = node;
  }

  /** Starts the node. */
  static async start(context: TestContext): Promise<LivingGroup> {
    const node = await startNode('embedded');
    context.onTestFinished(async () => {
      await node.process.stop();
    });
    return new LivingGroup(context, node);
  }

  /** Somebody who waits for an invitation. */
  async member(app: string, dialect: MemberDialect = slimChatMember): Promise<Member> {
    return this.#add(app, dialect, {});
  }

  /** A moderator, of ours one that invites again, that has invited these, who are in. */
  async moderator(invited: readonly string[], mls: boolean, dialect: MemberDialect = slimChatMember): Promise<Member> {
    const invite = invited.map((app) => `org/ns/${app}`);
    const group = { channel: 'org/ns/chat', invite, intervalMs: 500, maxRetries: 10, waitsForInvited: true, mls };
    const moderator = await this.#add('m', dialect, { group });
    for (const name of invite) {
      const settled = await moderator.waitFor(
        (event) => event.kind === 'settled' && event.op === 'invite' && event.name === name,
        WAIT_MS,
      );
      expect(settled, `${name} is invited`).toBeDefined();
      expect(settled).not.toHaveProperty('error');
    }
    return moderator;
  }

  async #add(
    app: string,
    dialect: MemberDialect,
    options: Pick<ConstructorParameters<typeof Member>[1], 'group'>,
  ): Promise<Member> {
    const name = `org/ns/${app}`;
    const added = new Member(dialect, { label: app, name, node: this.#node.url, secret: SECRET, ...options });
    this.#context.onTestFinished(async () => {
      await added.process.stop();
    });
    expect(await added.waitFor((event) => event.kind === 'ready', WAIT_MS), `${app} is ready`).toBeDefined();
    return added;
  }
}
