import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

import { MEMBERS, nameOf, TALK } from './talk.mjs';

const TIMEOUT_MS = 60_000;

/** A `slim-chat --json` process: commands in, events out. */
class Member {
  events = [];
  #waiters = new Set();
  #child;

  constructor(member, program, options) {
    this.member = member;
    this.#child = spawn(process.execPath, [program, '--json', '--local', nameOf(member), ...options], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.exit = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', resolve);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const event = JSON.parse(line);
      this.events.push(event);
      for (const check of [...this.#waiters]) check();
    });
    // A member that ends too early must end the waiting for it, too.
    this.exit.then(() => {
      for (const check of [...this.#waiters]) check(true);
    });
  }

  send(command) {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** Waits until the events so far fulfil a condition. */
  until(what, condition) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new Error(`${this.member}: ${what} did not happen in time`)), TIMEOUT_MS);
      const settle = (error) => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const check = (ended = false) => {
        if (condition(this.events)) settle();
        else if (ended) settle(new Error(`${this.member} ended before ${what}`));
      };
      this.#waiters.add(check);
      check();
    });
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}

const has =
  (type, test = () => true, count = 1) =>
  (events) =>
    events.filter((event) => event.type === type && test(event)).length >= count;

/** A member's view in words. */
function transcript({ member, events }) {
  const said = TALK.filter(({ by }) => by === member).length;
  const lines = [`-- what ${member} saw`];
  for (const event of events) {
    if (event.type === 'ready') lines.push(`   ready as ${event.local}, ${event.role}, node ${event.node.endpoint}`);
    if (event.type === 'session') lines.push(`   in ${event.channel} with ${event.members.length} members`);
    if (event.type === 'joined') lines.push(`   joined: ${event.member} (${event.members} members)`);
    if (event.type === 'message') lines.push(`   ${event.from.split('/')[2]}: ${event.text}`);
    if (event.type === 'closed') lines.push(`   closed: ${event.reason}`);
  }
  const acked = events.filter((event) => event.type === 'delivery' && event.state === 'acked').length;
  lines.push(`   own messages acknowledged by everyone: ${acked} of ${said}`);
  return lines.join('\n');
}

/** What went wrong for a member, as text. */
function complaints({ member, events }) {
  const found = [];
  for (const { by, text } of TALK) {
    if (by === member) continue;
    const from = `${nameOf(by)}/`;
    const copies = events.filter((e) => e.type === 'message' && e.from.startsWith(from) && e.text === text).length;
    if (copies !== 1) found.push(`${member} saw "${text}" of ${by} ${copies} times`);
  }
  const order = events.filter((event) => event.type === 'message').map((event) => event.text);
  const expected = TALK.filter(({ by }) => by !== member).map(({ text }) => text);
  if (found.length === 0 && order.join('\n') !== expected.join('\n')) found.push(`${member} saw another order`);
  return found;
}

/** Everyone has seen the line, and its author knows it. */
function say(members, { by, text }, index) {
  const ref = `line-${index}`;
  const author = members.find(({ member }) => member === by);
  author.send({ type: 'publish', text, ref });
  return Promise.all(
    members.map((other) =>
      other === author
        ? other.until(
            `the delivery of "${text}"`,
            has('delivery', (event) => event.ref === ref && event.state === 'acked'),
          )
        : other.until(
            `"${text}"`,
            has('message', (event) => event.text === text),
          ),
    ),
  );
}

async function talk(members) {
  const [moderator, ...participants] = members;
  await Promise.all(participants.map((member) => member.until('ready', has('ready'))));
  await moderator.until('the whole group', has('joined', undefined, participants.length));
  await Promise.all(participants.map((member) => member.until('the session', has('session'))));
  for (const [index, line] of TALK.entries()) await say(members, line, index);
  moderator.send({ type: 'exit' });
  await Promise.all(participants.map((member) => member.until('the end of the session', has('closed'))));
  for (const member of participants) member.send({ type: 'exit' });
  const codes = await Promise.all(members.map(({ exit }) => exit));
  return codes.flatMap((code, index) => (code === 0 ? [] : [`${members[index].member} ended with exit code ${code}`]));
}

/** A port that nobody listens on at this moment. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs the demo without a screen; returns the exit code. */
export async function runCheck(program) {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const [moderator, ...others] = MEMBERS;
  const invites = others.flatMap((member) => ['--invites', nameOf(member)]);
  const members = [new Member(moderator, program, ['--slim', endpoint, '--node', 'always', ...invites])];
  try {
    // The node is part of the moderator's program: nobody can connect before it runs.
    await members[0].until('ready', has('ready'));
    for (const member of others) members.push(new Member(member, program, ['--slim', endpoint]));
    const trouble = await talk(members);
    for (const member of members) console.log(transcript(member));
    trouble.push(...members.flatMap(complaints));
    for (const text of trouble) console.error(`!! ${text}`);
    console.log(trouble.length === 0 ? 'demo: everyone saw everything' : 'demo: failed');
    return trouble.length === 0 ? 0 : 1;
  } catch (error) {
    for (const member of members) console.log(transcript(member));
    console.error(`!! ${error.message}`);
    return 1;
  } finally {
    for (const member of members) member.kill();
  }
}
