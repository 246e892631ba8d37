import { appendFileSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { installedParts } from '../harness/index.js';
import { measure, type Stage, startStage } from './measure.js';
import { IN_FLIGHT, MAX_RECEIVERS, PAYLOAD_BYTES, REAL, type Sample, type Side, SIDES } from './plan.js';
import { compare, table } from './report.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const out = process.env['BENCH_OUT'];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

test('our library against released bindings', { timeout: rounds * 300_000 }, async () => {
  if (!installedParts().has(REAL)) {
    throw new Error(`slim-bindings ${REAL} are not installed: run setup.sh ${REAL} of the kit`);
  }
  say(
    `${rounds} rounds on ${availableParallelism()} cores, in turn on the same node of ${REAL}; ${PAYLOAD_BYTES} bytes a message,`,
  );
  say(
    `${IN_FLIGHT} in flight. Receivers for all sides: ${MAX_RECEIVERS} real members of ${REAL}, in one process with a connection each.`,
  );
  say('Both drivers call their library directly; the real one through the asyncio face of the Python bindings.');

  const stages = new Map<Side['node'], Stage>();
  const samples: Record<Side['id'], Sample[]> = { ours: [], real: [], 'ours-embedded': [] };
  try {
    for (const node of new Set(SIDES.map((side) => side.node))) stages.set(node, await startStage(node));
    for (let round = 1; round <= rounds; round += 1) {
      for (const side of round % 2 === 1 ? SIDES : SIDES.toReversed()) {
        const stage = stages.get(side.node);
        if (stage === undefined) throw new Error(`no node ${side.node}`);
        samples[side.id].push(await measure(side, stage, round));
      }
      say(`round ${round} of ${rounds} done`);
    }
  } finally {
    for (const { node, receivers } of stages.values()) {
      await receivers.stop();
      await node.process.stop();
    }
  }

  const againstReal = compare(samples.ours, samples.real);
  const againstRealNode = compare(samples['ours-embedded'], samples.ours);
  say(
    `\n${table('Ours against the real member, ratios of the rounds (1.0 and more: ours is better)', ['ours', 'real'], againstReal)}`,
  );
  say(
    `\n${table('Our node against the real node, our member on both (1.0 and more: ours is better)', ['our node', 'real node'], againstRealNode)}`,
  );
  if (out !== undefined) {
    mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
    const line = { at: new Date().toISOString(), node: process.version, rounds, againstReal, againstRealNode, samples };
    appendFileSync(out, `${JSON.stringify(line)}\n`);
    say(`\nappended to ${out}`);
  }
  expect(samples.real).toHaveLength(rounds);
});
