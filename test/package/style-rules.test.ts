import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { type Rule, RuleTester } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, test } from 'vitest';

import { repoRoot } from '../harness/index.js';

const rules = (await import(pathToFileURL(path.join(repoRoot, 'scripts', 'eslint-style-rules.mjs')).href)) as Readonly<
  Record<'mainExportFirst' | 'hashPrivate' | 'testNotIt', Rule.RuleModule>
>;

RuleTester.describe = describe;
RuleTester.it = test;
RuleTester.itOnly = test.only;

const tester = new RuleTester({ languageOptions: { parser: tseslint.parser } });

tester.run('the main export comes first', rules.mainExportFirst, {
  valid: [
    { name: 'helpers behind it', filename: 'a-b.ts', code: 'export class AB {}\nfunction help() {}' },
    {
      name: 'types and constants before it',
      filename: 'a-b.ts',
      code: 'interface X {}\nconst N = 1;\nexport class AB {}',
    },
    {
      name: 'the class that it extends before it',
      filename: 'a.ts',
      code: 'class Base {}\nexport class A extends Base {}',
    },
    {
      name: 'a file named after none of its exports',
      filename: 'codec.ts',
      code: 'function a() {}\nexport function b() {}',
    },
    {
      name: 'overloads',
      filename: 'read.ts',
      code: 'export function read(a: string): string;\nexport function read(a: unknown) {}\nfunction help() {}',
    },
  ],
  invalid: [
    {
      name: 'helpers before it go behind it with their comments, types and constants stay',
      filename: 'open-link.ts',
      code: [
        "import x from 'x';",
        '/** Helps. */\nfunction help() {}',
        '/** Options. */\nexport interface Options {}',
        'const twice = (n: number) => 2 * n;',
        'class Helper {}',
        '/** Opens. */\nexport function openLink() {}',
        'function last() {}\n',
      ].join('\n\n'),
      output: [
        "import x from 'x';",
        '/** Options. */\nexport interface Options {}',
        'const twice = (n: number) => 2 * n;',
        '/** Opens. */\nexport function openLink() {}',
        '/** Helps. */\nfunction help() {}',
        'class Helper {}',
        'function last() {}\n',
      ].join('\n\n'),
      errors: [{ messageId: 'late', data: { main: 'openLink', helper: 'help' } }],
    },
    {
      name: 'a component in a .tsx file',
      filename: 'live-region.tsx',
      code: 'class Rows {}\n\nexport const LiveRegion = () => null;\n',
      output: 'export const LiveRegion = () => null;\n\nclass Rows {}\n',
      errors: 1,
    },
  ],
});

tester.run('private members have a #', rules.hashPrivate, {
  valid: [
    { name: 'a #member', code: 'class A { readonly #a = 1; b() { return this.#a; } }' },
    { name: 'a constructor that only the class may call', code: 'class A { private constructor() {} }' },
  ],
  invalid: [
    {
      name: 'a field and its uses, also in functions inside methods; not those of a class inside',
      code: 'class A { private readonly a = 1; b() { const [, f] = [() => this.a]; return class { a = this.a; }; } }',
      output: 'class A { readonly #a = 1; b() { const [, f] = [() => this.#a]; return class { a = this.a; }; } }',
      errors: [{ messageId: 'keyword', data: { name: 'a' } }],
    },
    {
      name: 'one that is unpacked by its name, which is for a person to mend',
      code: 'class A { private a = 1; b() { const { a } = this; return a; } }',
      output: null,
      errors: 1,
    },
    {
      name: 'a method and an accessor',
      code: ['class A {', '  private get a() { return 1; }', '  private async b() { return this.a; }', '}'].join('\n'),
      // One in each pass; ESLint makes several.
      output: ['class A {', '  get #a() { return 1; }', '  private async b() { return this.#a; }', '}'].join('\n'),
      errors: 2,
    },
  ],
});

tester.run('tests are called test', rules.testNotIt, {
  valid: [
    { name: 'test', code: "import { test } from 'vitest'; test('a', () => {});" },
    { name: 'an `it` of somebody else', code: "import { it } from './people.js'; it();" },
  ],
  invalid: [
    {
      name: 'the import and all uses',
      code: "import { expect, it } from 'vitest'; it('a', () => {}); it.each([1])('b', () => {});",
      output: "import { expect, test } from 'vitest'; test('a', () => {}); test.each([1])('b', () => {});",
      errors: 1,
    },
    ...['it, test', 'test, it'].map((names) => ({
      name: `where test is imported, too: ${names}`,
      code: `import { ${names} } from 'vitest'; it('a', () => {}); test('b', () => {});`,
      output: "import { test } from 'vitest'; test('a', () => {}); test('b', () => {});",
      errors: 1,
    })),
  ],
});
