import { readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

import {
  JsonProcess,
  type JsonObject,
  kitFolder,
  type NodeProcess,
  pythonOf,
  repoRoot,
  startNode,
} from '../harness/index.js';
import {
  groupName,
  IN_FLIGHT,
  MAX_RECEIVERS,
  PAYLOAD_BYTES,
  REAL,
  type Sample,
  type Side,
  SIZES,
  STARTS,
} from './plan.js';
import { median, quantile } from './statistics.js';

const SECRET = 'very-long-shared-secret-value-0123456789abcdef';
const ANSWER_MS = 60_000;
const FOLDER = path.join(repoRoot, 'test', 'bench');

/** A node with its receivers; both live as long as the run. */
export interface Stage {
  readonly node: NodeProcess;
  readonly receivers: JsonProcess;
}

/** Measures one side once. Throws when a message was lost or a command failed: such a run has no numbers. */
export async function measure(side: Side, stage: Stage, round: number): Promise<Sample> {
  const starts: number[] = [];
  for (let start = 1; start < STARTS; start += 1) {
    const { driver, ms } = await startSender(side, stage.node.url);
    starts.push(ms);
    await driver.stop();
  }
  const { driver, ms } = await startSender(side, stage.node.url);
  starts.push(ms);
  const sample: Record<string, number> = { 'spawn to connected': median(starts) };
  try {
    for (const size of SIZES) {
      const channel = `org/bench/${side.id}-${round}-${size.receivers}${size.mls ? '-mls' : ''}`;
      Object.assign(sample, await measureGroup(driver, stage.receivers, channel, size));
    }
    sample['peak RSS'] = peakMiB(driver.pid);
  } finally {
    await driver.stop();
  }
  return sample;
}

function kit(): string {
  const folder = kitFolder();
  if (folder === undefined) throw new Error('the benchmark needs the kit of real peers; set SLIM_PEERS_KIT');
  return folder;
}

function is(event: string): (line: JsonObject) => boolean {
  return (line) => line['event'] === event;
}

/** Starts a node of this kind and sixteen real members at it that receive, each with a connection of its own. */
export async function startStage(kind: Side['node']): Promise<Stage> {
  const node = await startNode(kind);
  const args = [path.join(FOLDER, 'receivers.py'), '--kit', kit(), '--node', node.url, '--secret', SECRET];
  args.push('--count', String(MAX_RECEIVERS));
  const receivers = new JsonProcess({ label: `receivers at ${kind}`, command: pythonOf(REAL), args });
  await receivers.waitFor('ready', is('ready'), ANSWER_MS);
  return { node, receivers };
}

/** Starts the sender of a side and resolves when it is connected, with how long that took since the spawn, in ms. */
async function startSender(side: Side, url: string): Promise<{ readonly driver: JsonProcess; readonly ms: number }> {
  const rest = ['--node', url, '--secret', SECRET];
  const options =
    side.sender === 'ours'
      ? { command: process.execPath, args: [path.join(FOLDER, 'own-driver.mjs'), ...rest] }
      : { command: pythonOf(REAL), args: [path.join(FOLDER, 'real_driver.py'), '--kit', kit(), ...rest] };
  const driver = new JsonProcess({ label: side.id, ...options });
  await driver.waitFor('ready', is('ready'), ANSWER_MS);
  return { driver, ms: performance.now() - driver.startedAtMs };
}

async function ask(child: JsonProcess, command: JsonObject, answer: string): Promise<JsonObject> {
  const from = child.log.length;
  child.send(command);
  const line = await child.waitFor(answer, (got) => is(answer)(got) || is('failed')(got), ANSWER_MS, from);
  if (line['event'] === 'failed') throw new Error(`${child.label}: ${JSON.stringify(line)}`);
  return line;
}

/** Peak resident memory of a process, in MiB. */
function peakMiB(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (match?.[1] === undefined) throw new Error('this system does not tell the peak memory of a process');
  return Number(match[1]) / 1024;
}

async function measureGroup(
  driver: JsonProcess,
  receivers: JsonProcess,
  channel: string,
  size: (typeof SIZES)[number],
): Promise<Sample> {
  const { receivers: count, mls, burst, single } = size;
  const group = groupName(size);
  const sample: Record<string, number> = {};
  const members = Array.from({ length: count }, (_, index) => `org/bench/r${index}`);
  const from = receivers.log.length;
  const startedAtMs = performance.now();
  // The clock stops when the sender says so and every receiver has its session: libraries end an invitation at different moments.
  await ask(driver, { op: 'group', channel, members, mls }, 'group');
  const joined = (): number =>
    receivers.log.slice(from).filter(({ line }) => is('session')(line) && line['channel'] === channel).length;
  await receivers.waitUntil(`${count} sessions`, () => joined() === count, ANSWER_MS);
  sample[`create and invite ${group}`] = performance.now() - startedAtMs;

  const warmUp = Math.ceil(burst / 10);
  const shape = { bytes: PAYLOAD_BYTES, inFlight: IN_FLIGHT };
  await ask(driver, { op: 'burst', count: warmUp, ...shape }, 'burst');
  const { ms } = await ask(driver, { op: 'burst', count: burst, ...shape }, 'burst');
  sample[`messages at ${group}`] = (burst / Number(ms)) * 1000;

  if (single > 0) {
    const { ms: times } = await ask(driver, { op: 'single', count: single, bytes: PAYLOAD_BYTES }, 'single');
    const sorted = (times as number[]).toSorted((a, b) => a - b);
    sample[`latency p50 at ${group}`] = quantile(sorted, 0.5);
    sample[`latency p99 at ${group}`] = quantile(sorted, 0.99);
  }
  await everythingArrived(receivers, channel, count, warmUp + burst + single);
  await ask(driver, { op: 'close' }, 'close');
  return sample;
}

/** An ack may come before the application has read the message, so the receivers are asked until they have all, or too many. */
async function everythingArrived(receivers: JsonProcess, channel: string, count: number, sent: number): Promise<void> {
  const deadlineMs = performance.now() + ANSWER_MS;
  for (;;) {
    const { counts } = await ask(receivers, { op: 'counts', channel }, 'counts');
    const got = (counts as number[]).slice(0, count);
    if (got.every((number) => number === sent)) return;
    if (got.some((number) => number > sent) || performance.now() > deadlineMs) {
      throw new Error(`${channel}: ${sent} messages were sent, and ${got.join(' ')} arrived`);
    }
  }
}
