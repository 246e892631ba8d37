// Rebuilds test/fixtures/frames.txt.gz, the recorded frames that the codec is tested against, from a folder of traces
// (JSON lines; a line with `dir` and `hex` is a frame): node scripts/collect-frames.mjs <folder>
//
// One line a distinct frame: the trace, the direction (up = to the node), the kind, the bytes in hex.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const OUT = new URL('../test/fixtures/frames.txt.gz', import.meta.url);

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: node scripts/collect-frames.mjs <folder of .jsonl traces>');
  process.exit(2);
}

const frames = new Map();
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith('.jsonl')) continue;
  for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
    if (line === '') continue;
    const { dir, kind, hex } = JSON.parse(line);
    // Application events may have a `hex` too: a payload, not a frame.
    if (dir === undefined || hex === undefined || frames.has(hex)) continue;
    frames.set(hex, `${basename(file, '.jsonl')} ${dir} ${kind} ${hex}\n`);
  }
}
const packed = gzipSync([...frames.values()].join(''), { level: 9 });
writeFileSync(OUT, packed);
console.log(`${frames.size} frames, ${packed.length} bytes`);
