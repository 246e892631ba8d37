import { Name } from '../../src/name/index.js';
import { SEQUENCE_LIMIT } from '../../src/protocol/sequence.js';
import { Network, type NetworkOptions } from './simulated-network.js';
import { type CommandRecord, type GroupOptions, SimulatedApp, type SimulatedSession } from './simulation.js';
import { CHANNEL, short } from './support.js';

const APP_NAMES = ['m', 'a', 'b', 'c', 'd', 'e', 'f', 'g'];

/** A moderator and apps it can invite, and what must hold among them. */
export class SimulatedGroup {
  readonly network: Network;
  readonly apps: readonly SimulatedApp[];
  readonly moderator: SimulatedSession;
  #published = 0;

  constructor(
    seed: number,
    appCount: number,
    options: { readonly network?: NetworkOptions; readonly group?: GroupOptions } = {},
  ) {
    this.network = new Network(seed, options.network);
    this.apps = APP_NAMES.slice(0, appCount).map(
      (app, index) => new SimulatedApp(this.network, Name.of('agntcy', 'ns', app, BigInt(index + 1))),
    );
    this.moderator = this.app(0).createGroup(options.group ?? { timeoutMs: 1000, maxRetries: 10 });
    // Every name is subscribed before the first message.
    this.run(1000);
  }

  app(index: number): SimulatedApp {
    const app = this.apps[index];
    if (app === undefined) throw new Error(`no app ${String(index)}`);
    return app;
  }

  /** The newest session of an app, which must have one. */
  session(index: number): SimulatedSession {
    const { session, name } = this.app(index);
    if (session === undefined) throw new Error(`${short(name)} has no session`);
    return session;
  }

  run(ms: number): void {
    this.network.time.run(ms);
  }

  /** Goes on until something holds; fails when that takes longer than `ms`. */
  runUntil(what: string, holds: () => boolean, ms = 300_000): void {
    if (!this.network.time.run(ms, holds)) throw new Error(`not within ${String(ms)} ms: ${what}`);
  }

  invite(index: number): CommandRecord {
    return this.moderator.run({ kind: 'invite', name: this.app(index).name.withoutId() });
  }

  remove(index: number): CommandRecord {
    return this.moderator.run({ kind: 'remove', name: this.app(index).name.withoutId() });
  }

  /** Invites these apps, one after the other, and waits for each. */
  gather(...indices: readonly number[]): void {
    for (const index of indices) {
      const invitation = this.invite(index);
      this.runUntil(`invitation of ${short(this.app(index).name)}`, () => invitation.isSettled);
      if (invitation.error !== undefined) throw invitation.error;
    }
  }

  /** Publishes a text that is like no other. */
  publish(index: number, to?: Name): CommandRecord {
    this.#published += 1;
    return this.session(index).publish(`${short(this.app(index).name)} says ${String(this.#published)}`, to);
  }

  /** Names of those whom the moderator counts as members. */
  get memberNames(): string[] {
    return this.moderator.machine.members.map(short).sort();
  }

  /** Sessions that the moderator counts as members and whose process lives, its own included. */
  get memberSessions(): SimulatedSession[] {
    const keys = new Set(this.moderator.machine.members.map((name) => name.key));
    return this.apps.flatMap((app) => (keys.has(app.name.key) && app.session?.isAlive === true ? [app.session] : []));
  }

  // --- What must hold ------------------------------------------------------------------------------------------------

  /** Everybody who is in has the same list, everybody else is out. */
  checkMembers(): void {
    const expected = this.memberNames.join(' ');
    const present = new Set(this.memberSessions.map((session) => short(session.app.name)));
    for (const app of this.apps) {
      const name = short(app.name);
      const isIn = app.sessions.some((session) => session.isAlive && session.isEstablished) || app === this.app(0);
      if (app.link.isDead || !this.moderator.isAlive) continue;
      if (isIn !== present.has(name)) {
        throw new Error(`${name} thinks it is ${isIn ? 'in' : 'out'}, the list is ${expected}`);
      }
      if (!isIn) continue;
      const list = this.session(this.apps.indexOf(app)).machine.members.map(short).sort().join(' ');
      if (list !== expected) throw new Error(`${name} has the list ${list}, the moderator ${expected}`);
    }
  }

  /** With MLS: everybody who is in has the same keys, and nobody else. */
  checkKeys(): void {
    // The group of keys is made for the first who answers an invitation.
    if (this.memberSessions.length === 1) return;
    for (const { app, mls } of this.memberSessions) {
      const expected = this.moderator.machine.members.map(String).sort().join(' ');
      const members = mls?.members.join(' ') ?? 'no group';
      if (members !== expected) throw new Error(`${short(app.name)} has keys of ${members}, should have ${expected}`);
      if (mls?.epoch !== this.moderator.mls?.epoch) throw new Error(`${short(app.name)} is in another epoch`);
    }
  }

  /** Every payload travelled as the group is meant to be. */
  checkEncrypted(isEncrypted: boolean): void {
    for (const app of this.apps) {
      for (const { received } of app.sessions) {
        const wrong = received.find((message) => message.isEncrypted !== isEncrypted);
        if (wrong !== undefined) throw new Error(`"${wrong.text}" came ${isEncrypted ? 'in clear' : 'encrypted'}`);
      }
    }
  }

  /** At each receiver: nothing twice; from each sender in order; nothing missing that was not reported as lost. */
  checkOrder(): void {
    for (const app of this.apps) {
      const texts = app.sessions.flatMap(({ received }) => received.map(({ text }) => text));
      const twice = texts.find((text, index) => texts.indexOf(text) !== index);
      if (twice !== undefined) throw new Error(`${short(app.name)} got "${twice}" twice`);
      for (const session of app.sessions) this.#checkStreams(session);
    }
  }

  #checkStreams(session: SimulatedSession): void {
    for (const sender of this.apps) {
      const ids = session.received
        .filter(({ from, messageId }) => from.equals(sender.name) && messageId < SEQUENCE_LIMIT)
        .map(({ messageId }) => messageId);
      const lost = new Set(
        session.lost.filter(({ from }) => from.equals(sender.name)).map(({ messageId }) => messageId),
      );
      const who = `${short(session.app.name)} from ${short(sender.name)}`;
      let last: number | undefined;
      for (const id of ids) {
        // A message from before the first one is given out late rather than lost; so is one that was given up and came after all.
        if (id < ids[0]! || (last !== undefined && id < last && lost.has(id))) continue;
        if (last !== undefined && id <= last) throw new Error(`${who}: ${String(id)} after ${String(last)}`);
        for (let hole = (last ?? id) + 1; hole < id; hole += 1) {
          if (!lost.has(hole)) throw new Error(`${who}: ${String(id)} without ${String(hole)}`);
        }
        last = id;
      }
    }
  }

  /**
   * What a member acknowledged, its application has: unless the session of one of the two ended. Asking for a message counts as
   * acknowledging it, and who is gone does not answer.
   */
  checkAcknowledged(): void {
    for (const app of this.apps) {
      for (const session of app.sessions.filter(({ isAlive }) => isAlive)) {
        for (const { progress, command } of session.commands.values()) {
          if (command.kind !== 'publish' || progress === undefined) continue;
          const text = new TextDecoder().decode(command.payload);
          for (const member of progress.acked) this.#checkHas(member, text, progress.messageId);
        }
      }
    }
  }

  #checkHas(member: Name, text: string, messageId: number | undefined): void {
    const [session, ...later] = this.apps.find((app) => app.name.equals(member))?.sessions ?? [];
    if (session?.isAlive !== true || later.length > 0) return;
    if (session.received.some((received) => received.text === text)) return;
    if (session.lost.some((lost) => lost.messageId === messageId)) return;
    throw new Error(`${short(member)} acknowledged "${text}" and does not have it`);
  }

  /** Nothing at all got lost, and everybody whom a message was sent to has it. */
  checkNothingLost(): void {
    for (const app of this.apps) {
      for (const session of app.sessions) {
        if (session.lost.length > 0) throw new Error(`${short(app.name)} lost ${JSON.stringify(session.lost)}`);
        for (const record of session.commands.values()) {
          if (record.command.kind !== 'publish') continue;
          const text = new TextDecoder().decode(record.command.payload);
          if (!record.isSettled || record.error !== undefined) {
            throw new Error(`"${text}" is not acknowledged: ${record.error?.message ?? 'nothing came of it'}`);
          }
          for (const member of record.audience) this.#checkHas(member, text, undefined);
        }
      }
    }
  }

  /** Every command has its answer, but for messages that wait for somebody to join. */
  checkSettled(): void {
    for (const app of this.apps) {
      if (app.link.isDead) continue;
      for (const session of app.sessions) {
        for (const { id, command, isSettled, progress } of session.commands.values()) {
          const waits = session.isAlive && session.machine.members.length === 1 && progress?.messageId === undefined;
          if (command.kind === 'publish' && waits) continue;
          if (!isSettled) throw new Error(`${short(app.name)}: command ${String(id)} (${command.kind}) has no answer`);
        }
      }
    }
  }

  /** Nobody holds a channel it is not in. */
  checkSubscriptions(): void {
    for (const app of this.apps) {
      const alive = app.sessions.filter((session) => session.isAlive);
      const users = app.link.usersOf(CHANNEL);
      if (!app.link.isDead && alive.length === 0 && users > 0) {
        throw new Error(`${short(app.name)} still has the channel ${String(users)} times`);
      }
    }
  }
}
