import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { MEMBERS, nameOf, TALK } from './talk.mjs';

const TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 200;

function tmux(...args) {
  const { status, stdout, stderr, error } = spawnSync('tmux', args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr.trim()}`);
  return stdout.trimEnd();
}

/** What a pane shows, without white space: narrow panes break lines anywhere. */
const screen = (pane) => tmux('capture-pane', '-p', '-J', '-S', '-100', '-t', pane).replace(/\s+/g, '');

/** Waits until a pane shows a text. */
async function untilShown(pane, text) {
  const wanted = text.replace(/\s+/g, '');
  const deadline = performance.now() + TIMEOUT_MS;
  while (!screen(pane).includes(wanted)) {
    if (performance.now() > deadline) throw new Error(`"${text}" did not appear; the panes are left as they are`);
    await pause(LOOK_EVERY_MS);
  }
}

function commandOf(member, program) {
  const [moderator, ...others] = MEMBERS;
  const invites = member === moderator ? ['--invites', others.map(nameOf).join(',')] : [];
  return [process.execPath, program, '--local', nameOf(member), ...invites];
}

/** A window of its own, in the tmux the person is in or in a new session, with an idle pane for each member. */
function openWindow() {
  const print = ['-P', '-F', '#{pane_id}'];
  const name = ['-n', 'slim-chat demo'];
  const isInside = Boolean(process.env.TMUX);
  const first = isInside
    ? tmux('new-window', ...print, ...name, 'cat')
    : tmux('new-session', '-d', '-x', '160', '-y', '40', ...print, ...name, 'cat');
  const panes = { [MEMBERS[0]]: first };
  let last = first;
  for (const member of MEMBERS.slice(1)) {
    last = tmux('split-window', '-h', ...print, '-t', last, 'cat');
    panes[member] = last;
  }
  tmux('select-layout', '-t', first, 'even-horizontal');
  return { panes, first, isInside };
}

function start(member, pane, program) {
  tmux('respawn-pane', '-k', '-t', pane, ...commandOf(member, program));
}

async function play(program, panes) {
  const [moderator, ...others] = MEMBERS;
  start(moderator, panes[moderator], program);
  // The others would find no node before the moderator's program has started it.
  await untilShown(panes[moderator], 'moderator of');
  for (const member of others) start(member, panes[member], program);
  for (const member of others) await untilShown(panes[moderator], `${member} joined`);
  for (const { by, text } of TALK) {
    tmux('send-keys', '-t', panes[by], '-l', text);
    tmux('send-keys', '-t', panes[by], 'Enter');
    for (const pane of Object.values(panes)) await untilShown(pane, text);
  }
  tmux('select-pane', '-t', panes[moderator]);
}

/** Plays the demo in tmux; returns the exit code. */
export async function runTmux(program) {
  if (spawnSync('tmux', ['-V']).error) {
    console.error('demo: this needs tmux, which is not installed. Without it: npm run demo -- --check');
    return 1;
  }
  if (!process.stdout.isTTY) {
    console.error('demo: this needs a terminal. Without one: npm run demo -- --check');
    return 1;
  }
  const { panes, first, isInside } = openWindow();
  const played = play(program, panes).then(
    () => undefined,
    (error) => error,
  );
  if (!isInside) {
    // The talk goes on while the person already looks at it.
    const viewer = spawn('tmux', ['attach-session', '-t', first], { stdio: 'inherit' });
    await once(viewer, 'close');
    if (spawnSync('tmux', ['has-session', '-t', first]).status === 0) {
      console.log(
        'demo: the chat goes on in the background. Back to it: tmux attach. Leave with Ctrl+C twice in each pane.',
      );
    }
  }
  const error = await played;
  if (error) console.error(`demo: ${error.message}`);
  return error ? 1 : 0;
}
