import { describe, expect, test } from 'vitest';

import { Name } from '../../src/name/index.js';
import { decodeMessage, encodeMessage, MessageType, type SlimMessage } from '../../src/wire/index.js';

const MOD = Name.of('agntcy', 'ns', 'moderator', 1n);
const CL = Name.of('agntcy', 'ns', 'client-1', 0x0102030405060708n);
const CH = Name.of('agntcy', 'ns', 'chat');

const MOD_HEX =
  '0a3d0a2208c2d7f58beb85aace1610d1a1a6e3a4d3ddfcee0118cbf2ddca8688efcdfc01200112170a0661676e74637912026e731a096d6f6465726174' +
  '6f72';
const CL_HEX =
  '430a2908c2d7f58beb85aace1610d1a1a6e3a4d3ddfcee0118b9c1dfc1fc9a90f65820888e98a8c0e080810112160a0661676e74637912026e731a0863' +
  '6c69656e742d31';
const CH_HEX =
  '400a2a08c2d7f58beb85aace1610d1a1a6e3a4d3ddfcee0118aaf8aab6a3cecddd4a20ffffffffffffffffff0112120a0661676e74637912026e731a04' +
  '63686174';
const ANY_CL_HEX =
  '440a2a08c2d7f58beb85aace1610d1a1a6e3a4d3ddfcee0118b9c1dfc1fc9a90f65820ffffffffffffffffff0112160a0661676e74637912026e731a08' +
  '636c69656e742d31';

const session = { sessionType: 2, sessionId: 1_234_567_890 };
const subscribe: SlimMessage = {
  kind: 'subscribe',
  header: { source: CL, destination: CL, fanout: 1, identity: 'tok' },
  subscriptionId: 0n,
};

/** The vectors of the protocol description, by their names there. */
const VECTORS: readonly { name: string; message: SlimMessage; hex: string }[] = [
  { name: 'V1', message: subscribe, hex: `0a94010a91010a${CL_HEX}12${CL_HEX}18012203746f6b` },
  {
    name: 'V1b',
    message: { ...subscribe, subscriptionId: 42n },
    hex: `0a96010a91010a${CL_HEX}12${CL_HEX}18012203746f6b102a`,
  },
  {
    name: 'V2',
    message: {
      kind: 'publish',
      header: { source: MOD, destination: CH, fanout: 256, identity: 'tok', incomingConn: 0n },
      session: { ...session, messageType: MessageType.msg, messageId: 1 },
      content: { kind: 'app', payloadType: 'msg', blob: new Uint8Array(Buffer.from('hello')) },
      metadata: { k: 'v' },
    },
    hex:
      `1aac010a8b01${MOD_HEX}12${CH_HEX}1880022203746f6b3800120c0802100118d285d8cc0420011a0e0a0c0a036d7367120568656c6c6f` +
      '22060a016b120176',
  },
  {
    name: 'V3',
    message: {
      kind: 'publish',
      header: { source: MOD, destination: CL.withoutId(), fanout: 1, identity: 'tok' },
      session: { ...session, messageType: MessageType.discoveryRequest, messageId: 77 },
      content: { kind: 'discoveryRequest' },
      metadata: {},
    },
    hex: `1aa3010a8c01${MOD_HEX}12${ANY_CL_HEX}18012203746f6b120c0802100518d285d8cc04204d1a0412020a00`,
  },
  {
    name: 'V4',
    message: {
      kind: 'publish',
      header: { source: MOD, destination: CL, fanout: 1, identity: 'tok' },
      session: { ...session, messageType: MessageType.joinRequest, messageId: 78 },
      content: {
        kind: 'joinRequest',
        enableMls: true,
        timerSettings: { timeoutMs: 1000, maxRetries: 10 },
        channel: CH,
      },
      metadata: {},
    },
    hex:
      `1aed010a8b01${MOD_HEX}12${CL_HEX}18012203746f6b120c0802100718d285d8cc04204e` +
      `1a4f124d1a4b0801120508e807100a1a${CH_HEX}`,
  },
  {
    name: 'V5',
    message: { kind: 'subscriptionAck', subscriptionId: 42n, success: true, error: '' },
    hex: '3204082a1001',
  },
  {
    name: 'V6',
    message: {
      kind: 'link',
      linkId: '6ba7b810-9dad-4d11-80b4-00c04fd430c8',
      slimVersion: '1.4.0',
      isReply: false,
    },
    hex: '2a2f0a2d0a2436626137623831302d396461642d346431312d383062342d3030633034666434333063381205312e342e30',
  },
];

describe('vectors', () => {
  test.each(VECTORS)('$name encodes to the reference bytes', ({ message, hex }) => {
    expect(Buffer.from(encodeMessage(message)).toString('hex')).toBe(hex);
  });

  test.each(VECTORS)('$name decodes to the message', ({ message, hex }) => {
    expect(decodeMessage(Buffer.from(hex, 'hex'))).toEqual(message);
  });

  test('V7, a Publish with empty headers, is protobuf but no message', () => {
    expect(decodeMessage(Buffer.from('1a040a001200', 'hex'))).toEqual({
      kind: 'malformed',
      problem: 'incomplete',
      detail: 'source',
    });
  });
});

describe('presence', () => {
  const plain = { source: CL, destination: CL, fanout: 1, identity: '' };

  test('absent optional fields stay absent', () => {
    const message = decodeMessage(encodeMessage({ kind: 'subscribe', header: plain, subscriptionId: 0n }));
    expect(message).toStrictEqual({ kind: 'subscribe', header: plain, subscriptionId: 0n });
  });

  test('zero and false are there', () => {
    const header = { ...plain, recvFrom: 0n, forwardTo: 0n, incomingConn: 0n, error: false };
    const message = decodeMessage(encodeMessage({ kind: 'subscribe', header, subscriptionId: 0n }));
    expect(message).toStrictEqual({ kind: 'subscribe', header, subscriptionId: 0n });
  });
});

describe('what cannot be encoded', () => {
  test.each([-1n, 1n << 64n])('the u64 %s', (value) => {
    const header = { source: CL, destination: CL, fanout: 1, identity: '' };
    expect(() => encodeMessage({ kind: 'subscribe', header, subscriptionId: value })).toThrow(RangeError);
    expect(() =>
      encodeMessage({ kind: 'unsubscribe', header: { ...header, source: CL.withId(value) }, subscriptionId: 0n }),
    ).toThrow(RangeError);
  });

  test('a lone surrogate becomes U+FFFD, because one bad byte would cost the whole stream', () => {
    const bytes = encodeMessage({
      kind: 'publish',
      header: { source: CL, destination: CL.withoutId(), fanout: 1, identity: 'i\ud800' },
      session: { ...session, messageType: MessageType.msg, messageId: 1 },
      content: { kind: 'app', payloadType: '\udc00', blob: new Uint8Array() },
      metadata: { 'k\ud800': 'v\udfff' },
    });
    expect(decodeMessage(bytes)).toMatchObject({
      header: { identity: 'i\ufffd' },
      content: { payloadType: '\ufffd' },
      metadata: { 'k\ufffd': 'v\ufffd' },
    });
  });
});
