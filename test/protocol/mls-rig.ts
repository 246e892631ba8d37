import type { Effect, Input, MlsRequest, MlsResult, SessionMachine } from '../../src/protocol/index.js';
import { MlsError, type MlsErrorCode } from '../../src/util/index.js';
import type { MlsPayload, PublishMessage } from '../../src/wire/index.js';
import { Rig } from './support.js';

/** Answers an MLS request; bytes are texts here. */
export type MlsAnswer = (request: MlsRequest) => MlsResult;

/** A machine with timers whose MLS requests are answered at once, before any other input, as the driver does. */
export class MlsRig extends Rig {
  readonly requests: MlsRequest[] = [];
  answer: MlsAnswer;

  constructor(machine: SessionMachine, answer: MlsAnswer) {
    super(machine);
    this.answer = answer;
  }

  override handle(input: Input): Effect[] {
    const effects: Effect[] = [];
    const waiting: Extract<Effect, { kind: 'mls' }>[] = [];
    let next: Input | undefined = input;
    while (next !== undefined) {
      for (const effect of super.handle(next)) {
        if (effect.kind === 'mls') waiting.push(effect);
        else effects.push(effect);
      }
      const question = waiting.shift();
      if (question !== undefined) this.requests.push(question.request);
      next = question && { kind: 'mlsResult', id: question.id, result: this.answer(question.request) };
    }
    return effects;
  }

  get ops(): string[] {
    return this.requests.map(({ op }) => op);
  }
}

export function done(text: string, epoch: number, welcome?: string): MlsResult {
  const bytes = new TextEncoder().encode(text);
  return { ok: true, bytes, epoch, ...(welcome !== undefined && { welcome: new TextEncoder().encode(welcome) }) };
}

export function refused(code: MlsErrorCode, text = 'no'): MlsResult {
  return { ok: false, error: new MlsError(code, text) };
}

export function mlsPayload(commitId: number, text: string): MlsPayload {
  return { commitId, content: new TextEncoder().encode(text) };
}

/** A payload as MLS makes it: what tells it from clear text is how it begins. */
export function ciphertext(text: string): Uint8Array {
  return Uint8Array.of(0, 1, 0, 2, ...new TextEncoder().encode(text));
}

export function withBlob(message: PublishMessage, blob: Uint8Array): PublishMessage {
  return { ...message, content: { kind: 'app', payloadType: 'msg', blob } };
}
