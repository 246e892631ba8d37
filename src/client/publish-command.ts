import type { Name } from '../name/index.js';
import type { SessionCommand } from '../protocol/index.js';
import type { Metadata } from '../wire/index.js';
import { checkMetadata, checkSize } from './payload-check.js';

/** How a message is published. */
export interface PublishOptions {
  /** Opaque to SLIM; `msg` if absent. */
  readonly payloadType?: string;
  /** Travels in clear beside the payload. Keys of SLIM's own are refused. */
  readonly metadata?: Metadata;
  /** Comes back in each `delivery` event of this message, and in its handle. */
  readonly ref?: string;
  /**
   * Sends a message that failed once more: under the number it had, by name, only to those of `missing` that are members still;
   * what others have they do not get twice. Payload, type and metadata are to be what they were.
   */
  readonly again?: { readonly messageId: number; readonly missing: readonly Name[] };
}

const encoder = new TextEncoder();

/**
 * The command that publishes a payload.
 *
 * @internal
 * @throws UsageError `invalid-payload`
 */
export function toPublishCommand(
  payload: Uint8Array | string,
  options: PublishOptions,
  to: Name | undefined,
): Extract<SessionCommand, { kind: 'publish' }> {
  const { payloadType = 'msg', metadata = {}, again } = options;
  // A copy: what the caller does with its buffer afterwards must not change a retransmission.
  const bytes = typeof payload === 'string' ? encoder.encode(payload) : Uint8Array.from(payload);
  checkSize(bytes.length + payloadType.length * 3 + checkMetadata(metadata));
  return {
    kind: 'publish',
    payload: bytes,
    payloadType,
    metadata: { ...metadata },
    ...(to && { to }),
    ...(again && { again: { messageId: again.messageId, missing: [...again.missing] } }),
  };
}
