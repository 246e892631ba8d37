import type { NodeKind } from '../harness/index.js';

/** A combination that is measured: whose library sends, through which node. */
export interface Side {
  readonly id: 'real' | 'ours' | 'ours-embedded';
  readonly sender: 'real' | 'ours';
  readonly node: NodeKind;
}

/** Released version that is measured against, and of which the receivers and the real node are. */
export const REAL = '1.4.0';

/** In the order of the odd rounds; even rounds go backwards. */
export const SIDES: readonly Side[] = [
  { id: 'ours', sender: 'ours', node: REAL },
  { id: 'real', sender: 'real', node: REAL },
  { id: 'ours-embedded', sender: 'ours', node: 'embedded' },
];

/** Groups that are measured: how many receive, and how many messages make a burst and a series of single ones. */
export const SIZES = [
  { receivers: 1, burst: 8_000, single: 300 },
  { receivers: 4, burst: 4_000, single: 100 },
  { receivers: 16, burst: 1_600, single: 0 },
] as const;

export const MAX_RECEIVERS = 16;
export const IN_FLIGHT = 64;
export const PAYLOAD_BYTES = 100;
/** How often a process is started per round for the time to connect; the median counts. */
export const STARTS = 3;

/** A measured value by its key; `better` says which direction wins. */
export interface Metric {
  readonly key: string;
  readonly unit: 'ms' | '1/s' | 'MiB';
  readonly better: 'lower' | 'higher';
}

function lower(key: string, unit: Metric['unit'] = 'ms'): Metric {
  return { key, unit, better: 'lower' };
}

/** Everything that is measured, in the order of the report. */
export const METRICS: readonly Metric[] = [
  lower('spawn to connected'),
  ...SIZES.map(({ receivers }) => lower(`create and invite ${receivers}`)),
  ...SIZES.map(({ receivers }): Metric => ({ key: `messages at ${receivers}`, unit: '1/s', better: 'higher' })),
  ...SIZES.filter(({ single }) => single > 0).flatMap(({ receivers }) => [
    lower(`latency p50 at ${receivers}`),
    lower(`latency p99 at ${receivers}`),
  ]),
  lower('peak RSS', 'MiB'),
];

/** Values of one side in one round, by key of the metric. */
export type Sample = Readonly<Record<string, number>>;
