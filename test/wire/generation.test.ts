import { describe, expect, test } from 'vitest';

import { decodeMessage, encodeGenerationQuestion, parseSlimVersion } from '../../src/wire/index.js';
import { generation2Frames } from '../harness/generation-2-node.js';

describe('the version in a link message', () => {
  test.each([
    ['0.7.0', 0, false],
    ['1.4.0', 1, false],
    ['1.4.0-rc.1+build.5', 1, false],
    ['2.0.0-alpha.8', 2, true],
    ['2.0.0', 2, true],
    ['3.4.6', 3, true],
    ['10.0.0', 10, true],
  ])('%s: generation 2 begins with 2', (text, major, isOtherGeneration) => {
    expect(parseSlimVersion(text)).toEqual({ text, major, isOtherGeneration });
  });

  test.each(['', '2', '2.0', 'v2.0.0', '2.x', '02.0.0', '2.0.0-01', ' 2.0.0', '2.0.0\n', `2.0.0-${'a'.repeat(59)}`])(
    '%j is none, for a node neither',
    (text) => {
      expect(parseSlimVersion(text)).toBeUndefined();
    },
  );
});

describe('the question for the generation', () => {
  test.each(['3.4.6', '2.0.0'] as const)(
    'has the bytes that a member of core %s sends, as far as it says the same',
    (version) => {
      const recorded = Buffer.from(generation2Frames(version).linkRequest);
      const request = decodeMessage(recorded);
      if (request.kind !== 'link') throw new Error('no link request');
      const keyAt = recorded.indexOf(Buffer.of(0x22, 32)) + 2;
      const key = recorded.subarray(keyAt, keyAt + 32);
      const question = Buffer.from(encodeGenerationQuestion(request.linkId, request.slimVersion, key));
      expect(question.subarray(4).equals(recorded.subarray(4, question.length))).toBe(true);
      // What follows in the recording is the id of the node that an app is in a sense: field 6.
      expect(recorded[question.length]).toBe(0x32);
    },
  );

  test('reads as a link request of generation 1', () => {
    const linkId = '6ba7b810-9dad-4d11-80b4-00c04fd430c8';
    const question = encodeGenerationQuestion(linkId, '1.3.0', new Uint8Array(32));
    expect(decodeMessage(question)).toEqual({ kind: 'link', linkId, slimVersion: '1.3.0', isReply: false });
  });
});
