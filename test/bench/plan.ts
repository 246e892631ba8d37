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
  { receivers: 1, mls: false, burst: 8_000, single: 300 },
  { receivers: 4, mls: false, burst: 4_000, single: 100 },
  { receivers: 16, mls: false, burst: 1_600, single: 0 },
  { receivers: 1, mls: true, burst: 8_000, single: 300 },
  { receivers: 4, mls: true, burst: 4_000, single: 100 },
  { receivers: 16, mls: true, burst: 1_600, single: 0 },
] as const;

/** How the report names a group. */
export function groupName({ receivers, mls }: { readonly receivers: number; readonly mls: boolean }): string {
  return mls ? `${receivers} MLS` : String(receivers);
}

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
  ...SIZES.map((size) => lower(`create and invite ${groupName(size)}`)),
  ...SIZES.map((size): Metric => ({ key: `messages at ${groupName(size)}`, unit: '1/s', better: 'higher' })),
  ...SIZES.filter(({ single }) => single > 0).flatMap((size) => [
    lower(`latency p50 at ${groupName(size)}`),
    lower(`latency p99 at ${groupName(size)}`),
  ]),
  lower('peak RSS', 'MiB'),
];

/** Values of one side in one round, by key of the metric. */
export type Sample = Readonly<Record<string, number>>;
