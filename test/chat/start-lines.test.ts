import { describe, expect, test } from 'vitest';

import { type ChatEvent, headerLine, type StartInfo, startLines } from '../../src/chat/index.js';
import { ALICE, BOB, ready } from './chat-helper.js';

type Ready = Extract<ChatEvent, { type: 'ready' }>;
const INFO: StartInfo = {
  isDemoSecret: true,
  mls: false,
  isDerivedName: false,
  program: 'npx slim-chat',
  invites: [],
  sharedOptions: '',
};
const asModerator = ready(ALICE, 'moderator') as Ready;
const embedded: Ready = { ...asModerator, node: { ...asModerator.node, embedded: true } };

describe('the first lines', () => {
  test('of a moderator who started the node', () => {
    expect(headerLine('0.1.0', true)).toBe('slim-chat 0.1.0 - /help for commands, Ctrl+C twice to leave');
    expect(startLines(embedded, { ...INFO, invites: ['agntcy/ns/bob'] })).toEqual([
      'No SLIM node at 127.0.0.1:46357, started one here (this computer only, stops when you leave).',
      'You are agntcy/ns/alice, moderator of agntcy/ns/chat-7q2k. Demo secret, MLS off.',
      'Others can join from this computer with:',
      '  npx slim-chat --local agntcy/ns/bob',
    ]);
  });

  test('of a participant', () => {
    expect(headerLine('0.1.0', false)).toBe('slim-chat 0.1.0 - /help for commands, Ctrl+C to leave');
    expect(startLines(ready(BOB, 'participant') as Ready, INFO)).toEqual([
      'Connected to 127.0.0.1:46357 as agntcy/ns/bob. Demo secret.',
      'Waiting for an invitation. Tell a moderator to type:  /invite agntcy/ns/bob',
    ]);
  });

  test('tell what others need, and never a secret', () => {
    const lines = startLines(asModerator, {
      ...INFO,
      isDemoSecret: false,
      isDerivedName: true,
      invites: ['a/b/bob'],
      sharedOptions: '--slim http://10.0.0.5:46357 --shared-secret-file FILE',
    });
    expect(lines).toEqual([
      'You are agntcy/ns/alice, moderator of agntcy/ns/chat-7q2k. MLS off.',
      'Your name was made from your user name; choose another with --local org/ns/app.',
      'Others can join with:',
      '  npx slim-chat --local a/b/bob --slim http://10.0.0.5:46357 --shared-secret-file FILE',
    ]);
  });
});
