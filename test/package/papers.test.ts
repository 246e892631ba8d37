import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, test } from 'vitest';

import { repoRoot } from '../harness/index.js';

const PAPERS = [
  'src/ARCHITECTURE.md',
  'src/DECISIONS.md',
  '.github/CONTRIBUTING.md',
  '.github/SECURITY.md',
  '.github/CHANGELOG.md',
];

/** The table of imports. Plain JavaScript, so that the tools that use it need no compiler. */
const { FOLDERS } = (await import(pathToFileURL(path.join(repoRoot, 'scripts', 'folder-rules.mjs')).href)) as {
  readonly FOLDERS: Readonly<Record<string, unknown>>;
};

const read = (file: string): string => readFileSync(path.join(repoRoot, file), 'utf8');

/** All that a pattern finds in a text; its first group. */
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found]) => found ?? '');

describe.each(PAPERS)('%s', (paper) => {
  const text = read(paper);

  test('leads to files that exist', () => {
    for (const target of all(text, /\]\((?!https?:)([^)#]+)\)/g)) {
      expect(existsSync(path.join(repoRoot, path.dirname(paper), target)), target).toBe(true);
    }
  });

  test('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: object };
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(all(text, /npm run (?:-s )?([a-z][\w:-]*)/g)));
  });

  test('names tests and scripts that exist', () => {
    for (const file of all(text, /`((?:test|scripts)\/[\w./-]+\.(?:ts|mjs))`/g)) {
      expect(existsSync(path.join(repoRoot, file)), file).toBe(true);
    }
  });
});

describe('src/DECISIONS.md', () => {
  test('says where to undo a choice in files that exist', () => {
    const undone = all(read('src/DECISIONS.md'), /\*\*Undo\.\*\*(.*?)\n(?=\n|$)/gs).join(' ');
    const named = all(undone, /`([\w/-]+\.(?:tsx?|mjs|json))`/g);
    expect(named.length).toBeGreaterThan(10);
    const there = ['src', 'scripts', 'test'].flatMap((folder) =>
      readdirSync(path.join(repoRoot, folder), { recursive: true, encoding: 'utf8' }).map(
        (file) => `/${folder}/${file}`,
      ),
    );
    for (const file of named)
      expect(
        there.some((known) => known.endsWith(`/${file}`)),
        file,
      ).toBe(true);
  });
});

describe('src/ARCHITECTURE.md', () => {
  const text = read('src/ARCHITECTURE.md');
  /** Folders that the table of imports does not know yet are not looked at. */
  const isThere = (file: string): boolean => path.dirname(file) in FOLDERS;

  test('has a row for each folder of src', () => {
    expect(all(text, /^\| `([\w/]+)` \|/gm)).toEqual(expect.arrayContaining(Object.keys(FOLDERS)));
  });

  test.each(['down', 'up'])('tells the walk %s in functions that exist', (way) => {
    const walk = new RegExp(`<!-- walk:${way} -->(.*?)<!-- walk:end -->`, 's').exec(text)?.[1] ?? '';
    const steps = [...walk.matchAll(/^\* `([\w/.-]+)`: (.*)$/gm)].filter(([, file]) => isThere(file ?? ''));
    expect(steps.length).toBeGreaterThan(10);
    for (const [step, file, functions] of steps) {
      const source = read(`src/${file ?? ''}`);
      for (const name of all(functions ?? '', /`(#?\w+)`/g)) expect(source, step).toMatch(new RegExp(`${name}\\b`));
    }
  });

  test('names files of src that exist', () => {
    const files = all(text, /`([\w/-]+\/[\w-]+\.(?:tsx?|json))`/g).filter(isThere);
    expect(files).not.toEqual([]);
    for (const file of files) expect(existsSync(path.join(repoRoot, 'src', file)), file).toBe(true);
  });
});
