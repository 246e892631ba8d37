import type { Delivered } from '../protocol/index.js';
import type { ReceivedMessage } from './events.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A delivered payload as the application sees it. */
export function toReceivedMessage({ message, subject, payload, isEncrypted }: Delivered): ReceivedMessage {
  const { content, header, session, metadata } = message;
  const payloadType = content.kind === 'app' ? content.payloadType : '';
  return {
    source: header.source,
    destination: header.destination,
    messageId: session.messageId,
    payloadType: payloadType === '' ? 'msg' : payloadType,
    payload,
    get text() {
      return decodeText(payload);
    },
    metadata,
    identity: subject,
    encrypted: isEncrypted,
  };
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    // Not UTF-8, which is no error: payloads are bytes.
    return undefined;
  }
}
