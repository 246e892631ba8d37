/**
 * A program that brings its own SLIM node: what tests of your program, or a tool that must run anywhere, can do. It starts
 * `slim-chat node` on a free port, connects two apps to it, lets them talk, and takes all of it down again.
 *
 *   node scripts/examples/own-node.mjs
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { SlimApp } from 'slim-chat';

const node = await startNode();
try {
  await talk(node.url);
} finally {
  await node.stop();
}
console.log('the node has ended');

/** Two apps in one group, over the node at `slim`. */
async function talk(slim) {
  const sharedSecret = 'only for this example, 32 or more characters';
  const alice = await SlimApp.connect({ local: 'acme/team/alice', slim, sharedSecret });
  const bob = await SlimApp.connect({ local: 'acme/team/bob', slim, sharedSecret });
  const group = await alice.createSession({ channel: 'acme/team/standup', mls: true });
  const [, session] = await Promise.all([group.invite(bob.name), bob.listenForSession()]);

  await group.publish('is this your own node?');
  const { source, text } = await session.getMessage();
  console.log(`${source.app}: ${text}`);
  await session.publish('yes');
  console.log(`bob: ${(await group.getMessage()).text}`);

  // First who is a guest, then the moderator, then the node: each can still say goodbye over the next.
  await bob.close();
  await alice.close();
}

/** Starts a node in a process of its own; resolves when it listens. */
async function startNode() {
  // Where the package is installed; in a shell it would be `npx slim-chat node`.
  const program = fileURLToPath(new URL('dist/bin/slim-chat.js', import.meta.resolve('slim-chat/package.json')));
  // Port 0 is any free one. With --json the node says in a line that a program can read which one it was.
  const child = spawn(process.execPath, [program, 'node', '--listen', '127.0.0.1:0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.type !== 'ready') continue;
    console.log('the node listens');
    // It goes on telling what happens. Nobody reads that here, but it must not stand still because of it.
    child.stdout.resume();
    return { url: event.url, stop };
  }
  throw new Error('the node ended before it listened');
}
