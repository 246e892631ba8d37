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

/** A window of its own: in the tmux the person is in, or in a new session. Returns its first pane. */
function openWindow(command) {
  const print = ['-P', '-F', '#{pane_id}', '-n', 'slim-chat demo'];
  if (process.env.TMUX) return { pane: tmux('new-window', ...print, ...command), attach: false };
  return { pane: tmux('new-session', '-d', '-x', '160', '-y', '40', ...print, ...command), attach: true };
}

async function play(program, moderatorPane) {
  const panes = { [MEMBERS[0]]: moderatorPane };
  // The panes of the others would find no node before the first one has started it.
  await untilShown(moderatorPane, 'moderator of');
  for (const member of MEMBERS.slice(1)) {
    panes[member] = tmux(
      'split-window',
      '-h',
      '-P',
      '-F',
      '#{pane_id}',
      '-t',
      moderatorPane,
      ...commandOf(member, program),
    );
    tmux('select-layout', '-t', moderatorPane, 'even-horizontal');
  }
  for (const member of MEMBERS.slice(1)) await untilShown(moderatorPane, `${member} joined`);
  for (const { by, text } of TALK) {
    tmux('send-keys', '-t', panes[by], '-l', text);
    tmux('send-keys', '-t', panes[by], 'Enter');
    for (const pane of Object.values(panes)) await untilShown(pane, text);
  }
  tmux('select-pane', '-t', moderatorPane);
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
  const { pane, attach } = openWindow(commandOf(MEMBERS[0], program));
  const played = play(program, pane).then(
    () => undefined,
    (error) => error,
  );
  if (attach) {
    // The talk goes on while the person already looks at it.
    const viewer = spawn('tmux', ['attach-session', '-t', pane], { stdio: 'inherit' });
    await once(viewer, 'close');
  }
  const error = await played;
  if (error) console.error(`demo: ${error.message}`);
  return error ? 1 : 0;
}
