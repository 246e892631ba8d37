import { randomBytes, randomUUID } from 'node:crypto';

import type { Transport } from '../transport/index.js';
import { ConnectionError, type ErrorCode, onAbort, startTimer } from '../util/index.js';
import { decodeMessage, encodeGenerationQuestion, parseSlimVersion, type SlimVersion } from '../wire/index.js';

/** Nodes answer at once; before 1.3 they never do, and this long a connection to one of those waits when it was lost soon. */
const ANSWER_WAIT_MS = 1500;

/** What this side says of itself. The version matters little: every node answers the whole of generation 1. */
const OWN_VERSION = '1.3.0';

/** A public key of X25519 is any 32 bytes, and what would be encrypted with this one is never sent. */
const KEY_BYTES = 32;

/** What a node did when it was asked for its generation; silence means one before 1.3. */
export type GenerationAnswer = SlimVersion | 'silence' | 'hung-up';

/**
 * Asks a node for its version on a stream that is thrown away: nodes of 0.7 to 1.1 serve a stream never again on which they were
 * asked (generation-2.md 9, data-plane.md 5.3).
 *
 * @throws what {@link Transport.open} throws
 */
export async function askGeneration(transport: Transport, signal: AbortSignal): Promise<GenerationAnswer> {
  const linkId = randomUUID();
  let settle: (answer: GenerationAnswer) => void = () => undefined;
  const answered = new Promise<GenerationAnswer>((resolve) => {
    settle = resolve;
  });
  const connection = await transport.open(
    {
      onFrame: (frame) => {
        const message = decodeMessage(frame);
        if (message.kind !== 'link' || !message.isReply || message.linkId !== linkId) return;
        settle(parseSlimVersion(message.slimVersion) ?? 'silence');
      },
      onDrain: () => undefined,
      onEnd: () => {
        settle('hung-up');
      },
    },
    signal,
  );
  const giveUp = (): void => {
    settle('silence');
  };
  const timer = startTimer(ANSWER_WAIT_MS, giveUp);
  const stopWaiting = onAbort(signal, giveUp);
  connection.send(encodeGenerationQuestion(linkId, OWN_VERSION, randomBytes(KEY_BYTES)));
  try {
    return await answered;
  } finally {
    timer.cancel();
    stopWaiting();
    void connection.close();
  }
}

/** What is wrong with a node that ends each stream at once and gives this answer; `undefined` if the answer does not tell. */
export function turnedAwayBecause(endpoint: string, answer: GenerationAnswer): ConnectionError | undefined {
  if (answer === 'hung-up') return failure('stream-lost', endpoint, `the node at ${endpoint} ends each stream at once`);
  if (answer === 'silence' || !answer.isOtherGeneration) return undefined;
  const { text, major } = answer;
  const what = `the node at ${endpoint} speaks SLIM ${major}.x (core ${text}); slim-chat speaks generation 1, SLIM 0.7 to 1.4`;
  return failure('unsupported-generation', endpoint, what, { nodeVersion: text });
}

function failure(code: ErrorCode, endpoint: string, what: string, more: object = {}): ConnectionError {
  const hint = 'Give the endpoint of a node of SLIM 0.7 to 1.4';
  return new ConnectionError(code, `${what}. ${hint}`, { details: { endpoint, hint, ...more } });
}
