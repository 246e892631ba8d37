/**
 * The measured sender of the benchmark, made of our library: the twin of real_driver.py, same commands, same events.
 *
 * Nothing is read or written between the messages of a measurement, so only the library is measured.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { SlimApp } from '../../dist/client/index.js';

const { values: options } = parseArgs({ options: { node: { type: 'string' }, secret: { type: 'string' } } });

function emit(event, fields = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

const app = await SlimApp.connect({ local: 'org/bench/sender', slim: options.node, sharedSecret: options.secret });
emit('ready');

let session;

async function burst(payload, count, inFlight) {
  let left = count;
  async function lane() {
    while (left > 0) {
      left -= 1;
      await session.publish(payload);
    }
  }
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return performance.now() - started;
}

async function single(payload, count) {
  const times = [];
  for (let sent = 0; sent < count; sent += 1) {
    const started = performance.now();
    await session.publish(payload);
    times.push(performance.now() - started);
  }
  return times;
}

const commands = {
  async group({ channel, members, mls }) {
    session = await app.createSession({ channel, mls, timeoutMs: 1000, maxRetries: 10 });
    await Promise.all(members.map((name) => session.invite(name)));
    emit('group');
  },
  async burst({ bytes, count, inFlight }) {
    emit('burst', { ms: await burst(new Uint8Array(bytes).fill(120), count, inFlight) });
  },
  async single({ bytes, count }) {
    emit('single', { ms: await single(new Uint8Array(bytes).fill(120), count) });
  },
  async close() {
    await app.deleteSession(session);
    emit('close');
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    await commands[asked.op](asked);
  } catch (error) {
    emit('failed', { op: asked.op, error: String(error) });
  }
}
process.exit(0);
