import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect } from 'vitest';

import {
  type AppEvent,
  type JwtAlgorithm,
  JwtSigner,
  JwtVerifier,
  type Session,
  type SessionEvent,
  SlimApp,
} from '../../src/client/index.js';
import { SlimNode } from '../../src/node/index.js';
import { type GroupOptions, Member, type MemberEvent, realMember } from '../harness/index.js';
import type { RealJwt } from '../harness/real-member.js';
import { Recorder } from '../integration/support.js';

export const WAIT_MS = 30_000;
export const ISSUER = 'test-issuer';
export const AUDIENCE = 'test-audience';
/** How often somebody says something anew. Before 1.3, members miss what is said the moment after they have joined (kit, 4). */
const ATTEMPTS = 8;
const ATTEMPT_MS = 2_000;

/** What the tests of JWTs sign with. */
export type Algorithm = Extract<JwtAlgorithm, 'ES256' | 'RS256' | 'EdDSA'>;

/** A member of ours in this process, and what it was told. */
export interface OurMember {
  readonly app: SlimApp;
  readonly events: Recorder<AppEvent>;
}

/** Somebody in the group. */
export interface Speaker {
  readonly name: string;
  say(text: string): void;
  /** Whether it has heard a text, at the latest at the end of `timeoutMs`. */
  hears(text: string, timeoutMs: number): Promise<boolean>;
}

function newKeys(algorithm: Algorithm): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'EdDSA':
      return generateKeyPairSync('ed25519');
  }
}

/** One node and one pair of keys, and the members that come. Everything ends with the test. */
export class JwtWorld {
  readonly #node: SlimNode;
  readonly #algorithm: Algorithm;
  readonly #keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly #jwt: RealJwt;
  readonly #onEnd: (end: () => Promise<void>) => void;

  private constructor(node: SlimNode, algorithm: Algorithm, folder: string, onEnd: (end: () => Promise<void>) => void) {
    this.#node = node;
    this.#algorithm = algorithm;
    this.#keys = newKeys(algorithm);
    this.#onEnd = onEnd;
    const [privateKeyFile, publicKeyFile] = [path.join(folder, 'key.pem'), path.join(folder, 'public.pem')];
    writeFileSync(privateKeyFile, this.#keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(publicKeyFile, this.#keys.publicKey.export({ type: 'spki', format: 'pem' }));
    const realAlgorithm = algorithm === 'EdDSA' ? 'ED_DSA' : algorithm;
    const claims = { issuer: ISSUER, audience: AUDIENCE };
    this.#jwt = { algorithm: realAlgorithm, privateKeyFile, publicKeyFile, ...claims, home: folder };
  }

  static async start(algorithm: Algorithm, onEnd: (end: () => Promise<void>) => void): Promise<JwtWorld> {
    const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-jwt-'));
    const node = await SlimNode.start({ port: 0 });
    // What is named first ends last.
    onEnd(async () => {
      await node.close();
      rmSync(folder, { recursive: true, force: true });
    });
    return new JwtWorld(node, algorithm, folder, onEnd);
  }

  /** A member of ours; its subject is its name. */
  async ours(app: string, audience = AUDIENCE): Promise<OurMember> {
    const events = new Recorder<AppEvent>();
    const claims = { subject: `org/ns/${app}`, issuer: ISSUER, audience: [audience] };
    const ours = await SlimApp.connect({
      local: `org/ns/${app}`,
      slim: this.#node.endpoint,
      identity: {
        provider: new JwtSigner({ key: this.#keys.privateKey, algorithm: this.#algorithm, ...claims }),
        verifier: new JwtVerifier({ keys: this.#keys.publicKey, issuer: ISSUER, audience: [AUDIENCE] }),
      },
      messageDelivery: 'events',
      onEvent: events.record,
    });
    this.#onEnd(() => ours.close({ timeoutMs: 500 }));
    return { app: ours, events };
  }

  /** A real member, ready. */
  async real(
    version: string,
    app: string,
    { group, ...jwt }: Partial<RealJwt> & { readonly group?: GroupOptions } = {},
  ): Promise<RealSpeaker> {
    const member = new Member(realMember(version, { ...this.#jwt, ...jwt }), {
      label: app,
      name: `org/ns/${app}`,
      node: this.#node.endpoint,
      secret: '',
      ...(group && { group }),
    });
    this.#onEnd(async () => {
      await member.process.stop();
    });
    expect(await member.waitFor(({ kind }) => kind === 'ready', WAIT_MS), `${app} is ready`).toBeDefined();
    return new RealSpeaker(member);
  }
}

/** A real member as somebody who speaks. */
export class RealSpeaker implements Speaker {
  readonly member: Member;

  constructor(member: Member) {
    this.member = member;
  }

  get name(): string {
    return this.member.name;
  }

  say(text: string): void {
    this.member.publish(text, text);
  }

  async hears(text: string, timeoutMs: number): Promise<boolean> {
    return this.reports((event) => event.kind === 'message' && event.text === text, timeoutMs);
  }

  /** Whether it reports something, at the latest at the end of `timeoutMs`. */
  async reports(fits: (event: MemberEvent) => boolean, timeoutMs = WAIT_MS): Promise<boolean> {
    return (await this.member.waitFor(fits, timeoutMs)) !== undefined;
  }
}

/** A session of ours as somebody who speaks. */
export class OurSpeaker implements Speaker {
  readonly session: Session;
  readonly events = new Recorder<SessionEvent>();

  constructor(session: Session) {
    this.session = session;
    session.onEvent(this.events.record);
  }

  get name(): string {
    return this.session.local.withoutId().toString();
  }

  say(text: string): void {
    // Whether it is acknowledged is not asked here, and a failure must not end the test.
    this.session.publish(text).then(undefined, () => undefined);
  }

  async hears(text: string, timeoutMs: number): Promise<boolean> {
    const late = AbortSignal.timeout(timeoutMs);
    const heard = this.events.next((event) => event.kind === 'message' && event.message.text === text);
    return Promise.race([
      heard.then(() => true),
      new Promise<boolean>((resolve) => {
        late.addEventListener('abort', () => {
          resolve(false);
        });
      }),
    ]);
  }

  /** What it heard of a member: the subjects of its tokens, and whether it was encrypted. Each once. */
  heardOf(name: string): { readonly identities: readonly string[]; readonly encrypted: readonly boolean[] } {
    const messages = this.events.events.flatMap((event) => (event.kind === 'message' ? [event.message] : []));
    const its = messages.filter(({ source }) => source.withoutId().toString() === name);
    return {
      identities: [...new Set(its.map(({ identity }) => identity))],
      encrypted: [...new Set(its.map(({ encrypted }) => encrypted))],
    };
  }
}

/** Everybody says something that all others hear, one after the other. */
export async function converse(topic: string, speakers: readonly Speaker[]): Promise<void> {
  for (const speaker of speakers) {
    let deaf = speakers.filter((one) => one !== speaker);
    for (let attempt = 0; attempt < ATTEMPTS && deaf.length > 0; attempt += 1) {
      const text = `${topic} ${speaker.name} ${String(attempt)}`;
      speaker.say(text);
      const heard = await Promise.all(deaf.map((one) => one.hears(text, ATTEMPT_MS)));
      deaf = deaf.filter((_, index) => heard[index] !== true);
    }
    expect(
      deaf.map(({ name }) => name),
      `who does not hear ${speaker.name} (${topic})`,
    ).toEqual([]);
  }
}
