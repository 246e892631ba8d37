import type { Delivered } from '../protocol/index.js';
import type { ReceivedMessage } from './events.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A delivered payload as the application sees it. */
export function toReceivedMessage({ message, subject }: Delivered): ReceivedMessage {
  const { content, header, session, metadata } = message;
  const { payloadType, blob } = content.kind === 'app' ? content : { payloadType: '', blob: new Uint8Array(0) };
  return {
    source: header.source,
    destination: header.destination,
    messageId: session.messageId,
    payloadType: payloadType === '' ? 'msg' : payloadType,
    payload: blob,
    get text() {
      return decodeText(blob);
    },
    metadata,
    identity: subject,
    encrypted: false,
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
