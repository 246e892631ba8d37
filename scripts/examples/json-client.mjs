/**
 * Tells a group something and ends when everyone has it: `slim-chat --json` driven by another program. Nothing here is particular to
 * JavaScript, and nothing is imported from slim-chat: a script in any language that can start a process does it the same way.
 *
 *   node scripts/examples/json-client.mjs TEXT ORG/NS/APP...        everyone after the text is invited
 *
 * SLIM_SLIM and SLIM_SHARED_SECRET go through to slim-chat. The exit code is 0 only if everyone has acknowledged the text.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [text, ...invited] = process.argv.slice(2);
if (text === undefined || invited.length === 0) {
  console.error('usage: node scripts/examples/json-client.mjs TEXT ORG/NS/APP...');
  process.exit(2);
}

// A project that has slim-chat installed would start `npx slim-chat`.
const program = fileURLToPath(new URL('../../dist/bin/slim-chat.js', import.meta.url));
const options = ['--json', '--local', 'acme/team/herald', '--invites', invited.join(',')];
const child = spawn(process.execPath, [program, ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
// It may end by itself (no node, a wrong secret); writing to it then must not end this program with an exception.
child.stdin.on('error', () => undefined);
const ended = once(child, 'close');

/** Sends one command, which is one line of JSON. */
function send(command) {
  child.stdin.write(`${JSON.stringify(command)}\n`);
}

let missing = invited.length;
let isDelivered = false;
// One event each line. Take what you know and let the rest pass: later versions may have more types and more fields.
for await (const line of createInterface({ input: child.stdout })) {
  const event = JSON.parse(line);
  switch (event.type) {
    case 'joined':
      console.log(`${event.member.split('/')[2]} joined`);
      missing -= 1;
      // `ref` is ours to choose. It comes back in what answers this command.
      if (missing === 0) send({ type: 'publish', text, ref: 'news' });
      break;
    case 'delivery':
      if (event.ref !== 'news' || !['acked', 'failed'].includes(event.state)) break;
      isDelivered = event.state === 'acked';
      console.log(isDelivered ? 'everyone has it' : `not delivered to ${event.missing.join(', ')}`);
      send({ type: 'exit' });
      break;
    case 'error':
      console.log(`${event.code}: ${event.message}`);
      break;
    default:
  }
}
const [exitCode] = await ended;
process.exitCode = isDelivered ? exitCode : exitCode || 1;
