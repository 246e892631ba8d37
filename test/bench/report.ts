import { METRICS, type Metric, type Sample, type Side } from './plan.js';
import { median } from './statistics.js';

/** Samples of a run: one per round and side. */
export type Samples = Readonly<Record<Side['id'], readonly Sample[]>>;

/** How two sides compare in one metric, over the rounds. */
export interface Comparison {
  readonly metric: string;
  /** Medians of the sides. */
  readonly ours: number;
  readonly other: number;
  /** Ratios of the rounds; 1.0 and more means that the first side is better. */
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

function values(samples: readonly Sample[], metric: Metric): readonly number[] {
  return samples.map((sample) => {
    const value = sample[metric.key];
    if (value === undefined) throw new Error(`'${metric.key}' was not measured`);
    return value;
  });
}

/** Compares two sides round by round. */
export function compare(ours: readonly Sample[], other: readonly Sample[]): readonly Comparison[] {
  return METRICS.map((metric) => {
    const mine = values(ours, metric);
    const theirs = values(other, metric);
    const ratios = mine.map((value, round) => {
      const against = theirs[round] ?? Number.NaN;
      return metric.better === 'lower' ? against / value : value / against;
    });
    return {
      metric: `${metric.key} (${metric.unit})`,
      ours: median(mine),
      other: median(theirs),
      min: Math.min(...ratios),
      median: median(ratios),
      max: Math.max(...ratios),
    };
  });
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

/** A comparison as a table. */
export function table(title: string, names: readonly [string, string], rows: readonly Comparison[]): string {
  const head = ['', ...names, 'min', 'median', 'max'];
  const body = rows.map((row) => [
    row.metric,
    number(row.ours),
    number(row.other),
    ...[row.min, row.median, row.max].map((ratio) => ratio.toFixed(2)),
  ]);
  const lines = [head, ...body].map(
    ([first = '', ...rest]) => first.padEnd(28) + rest.map((cell) => cell.padStart(15)).join(''),
  );
  return [title, ...lines].join('\n');
}
