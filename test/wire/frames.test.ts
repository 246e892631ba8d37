import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { type Content, decodeMessage, encodeMessage, MessageType } from '../../src/wire/index.js';
import { referenceDecode, toReference } from './reference.js';

interface Frame {
  readonly trace: string;
  /** As the recorder named it: `subscribe`, `publish/GROUP_ADD` ... */
  readonly kind: string;
  readonly hex: string;
}

/** Recorded by scripts/collect-frames.mjs between released peers and nodes. */
function fixtureFrames(): Frame[] {
  const packed = readFileSync(new URL('../fixtures/frames.txt.gz', import.meta.url));
  return gunzipSync(packed)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [trace = '', , kind = '', hex = ''] = line.split(' ');
      return { trace, kind, hex };
    });
}

function folderFrames(folder: string): Frame[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .flatMap((file) =>
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { dir?: string; kind?: string; hex?: string })
        .filter(({ dir, hex }) => dir !== undefined && hex !== undefined)
        .map(({ kind = '', hex = '' }) => ({ trace: file, kind, hex })),
    );
}

/** `GROUP_ADD` to `groupAdd`. */
function camelCase(text: string): string {
  return text.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function expectedKinds(kind: string): { kind: string; messageType?: number; content?: Content['kind'] } {
  const [outer = '', inner] = kind.split('/');
  if (inner === undefined) return { kind: camelCase(outer) };
  const name = camelCase(inner) as keyof typeof MessageType;
  const isApp = ['msg', 'msgAck', 'rtxRequest', 'rtxReply'].includes(name);
  return { kind: outer, messageType: MessageType[name], content: isApp ? 'app' : (name as Content['kind']) };
}

function checkFrames(frames: readonly Frame[]): void {
  for (const { trace, kind, hex } of frames) {
    const where = `${trace} ${kind} ${hex}`;
    const bytes = Buffer.from(hex, 'hex');
    const message = decodeMessage(bytes);
    if (message.kind === 'malformed') throw new Error(`malformed (${message.detail}): ${where}`);
    expect(message.kind, where).toBe(expectedKinds(kind).kind);
    if (message.kind === 'publish') {
      expect(message.session.messageType, where).toBe(expectedKinds(kind).messageType);
      expect(message.content.kind, where).toBe(expectedKinds(kind).content);
    }
    expect(toReference(message), where).toEqual(referenceDecode(bytes));
    expect(Buffer.from(encodeMessage(message)).toString('hex'), where).toBe(hex);
  }
}

describe('frames of released peers and nodes', () => {
  const frames = fixtureFrames();

  test('the fixture has every kind that was ever recorded, of every version', () => {
    expect(new Set(frames.map(({ kind }) => kind)).size).toBe(20);
    const versions = new Set(frames.map(({ trace }) => /\d+\.\d+\.\d+/.exec(trace)?.[0]));
    expect([...versions].sort()).toEqual(['0.7.0', '0.7.1', '1.0.0', '1.4.0']);
  });

  test('decode to what the schema says, and encode to the same bytes', () => {
    checkFrames(frames);
  });

  const folder = process.env['SLIM_TRACES'];
  test.runIf(folder)('the same for all traces in SLIM_TRACES', () => {
    const all = folderFrames(folder ?? '');
    expect(all.length).toBeGreaterThan(0);
    checkFrames(all);
  });
});
