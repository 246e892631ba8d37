import path from 'node:path';
import { fileURLToPath } from 'node:url';

import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

import { hashPrivate, mainExportFirst, testNotIt } from './eslint-style-rules.mjs';
import { tsdocOnExports } from './eslint-tsdoc-rule.mjs';
import { FOLDERS, IMPURE_GLOBALS, PACKAGES } from './folder-rules.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const TYPESCRIPT = ['**/*.{ts,tsx}'];
const SOURCES = ['src/**/*.{ts,tsx}'];
const TESTS = ['test/**/*.{ts,tsx}'];

/** What plain JavaScript allows and nobody means; the compiler finds the rest. */
const coreRules = {
  eqeqeq: 'error',
  'no-constant-binary-expression': 'error',
  'no-control-regex': 'off',
  'no-debugger': 'error',
  'no-dupe-else-if': 'error',
  'no-duplicate-case': 'error',
  'no-else-return': 'error',
  'no-empty': 'error',
  'no-fallthrough': 'error',
  'no-lonely-if': 'error',
  'no-loss-of-precision': 'error',
  'no-param-reassign': 'error',
  'no-self-assign': 'error',
  'no-sparse-arrays': 'error',
  'no-template-curly-in-string': 'error',
  'no-unreachable': 'error',
  'no-unsafe-finally': 'error',
  'no-unsafe-optional-chaining': 'error',
  'no-useless-rename': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  'prefer-template': 'error',
};

const typedRules = {
  '@typescript-eslint/consistent-type-exports': 'error',
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  '@typescript-eslint/no-floating-promises': 'error',
  // Forbids the `void` in the signature of `then`, which is the one of PromiseLike.
  '@typescript-eslint/no-invalid-void-type': 'off',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/prefer-nullish-coalescing': 'error',
  '@typescript-eslint/prefer-optional-chain': 'error',
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
  // `default: assertNever(x)` is checked by the compiler; any other default is meant for the rest.
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
};

const noDefaultExports = {
  'no-restricted-exports': [
    'error',
    {
      restrictDefaultExports: {
        direct: true,
        named: true,
        defaultFrom: true,
        namedFrom: true,
        namespaceFrom: true,
      },
    },
  ],
};

/** Node fires a timer of more than 24.8 days at once, so timers are started in one place that knows. */
const noRawTimers = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval'].map((name) => ({
      name,
      message: 'Use startTimer, startInterval or pause of util/: they are safe for any wait.',
    })),
  ],
};

/** Imports of another folder as they are written in a file of `folder`, whatever its depth below it. */
function folderPattern(folder) {
  return `^(?:\\./|(?:\\.\\./)+)${folder}/`;
}

/** `no-restricted-imports` for one folder of `src/`, from the table. */
function importRule(folder) {
  const { may, types = {}, pure = false } = FOLDERS[folder];
  const allowed = [...may, ...Object.keys(types)];
  const patterns = [];
  for (const other of Object.keys(FOLDERS)) {
    // A nested folder is a folder of its own, but its path begins like that of its parent.
    const isAncestor = folder.startsWith(`${other}/`) || other.startsWith(`${folder}/`);
    if (other === folder || (isAncestor && allowed.includes(other))) continue;
    if (other in types) {
      const values = types[other].length > 0 ? { allowImportNames: types[other] } : {};
      patterns.push({
        regex: folderPattern(other),
        allowTypeImports: true,
        ...values,
        message: `${folder}/ may import only types of ${[`${other}/`, ...types[other]].join(', ')}.`,
      });
    } else if (!allowed.includes(other)) {
      patterns.push({ regex: folderPattern(other), message: `${folder}/ must not import ${other}/.` });
    }
  }
  patterns.push({
    regex: `^(?:\\.\\./)+(?:${allowed.join('|') || '-'})/(?!index\\.js$)`,
    message: 'Import another folder through its index.js.',
  });
  const top = folder.split('/')[0];
  for (const { pattern, folders, why } of PACKAGES) {
    // Keys are bytes turned into events: the input layer needs no React although it lies in ui/.
    if (!folders.includes(top) || folder === 'ui/input') patterns.push({ regex: pattern, message: why });
  }
  if (pure) patterns.push({ regex: '^node:', message: `${folder}/ is pure: pass what it needs in.` });
  return ['error', { patterns }];
}

function folderConfig(folder) {
  const nested = Object.keys(FOLDERS).filter((other) => other.startsWith(`${folder}/`));
  const rules = { '@typescript-eslint/no-restricted-imports': importRule(folder) };
  if (FOLDERS[folder].pure) {
    const message = `${folder}/ is pure: pass what it needs in.`;
    rules['no-restricted-globals'] = ['error', ...IMPURE_GLOBALS.map((name) => ({ name, message }))];
    rules['no-restricted-properties'] = ['error', { object: 'Math', property: 'random', message }];
  }
  return {
    name: `slim-chat/${folder}`,
    files: [`src/${folder}/**/*.{ts,tsx}`],
    ignores: nested.map((other) => `src/${other}/**`),
    rules,
  };
}

export default tseslint.config(
  { name: 'slim-chat/ignores', ignores: ['dist/', '.dist-*/', 'tmp/', 'coverage/', 'src/**/generated/'] },
  {
    name: 'slim-chat/all',
    files: ['**/*.{ts,tsx,mjs}'],
    // Exceptions belong here, where they have a reason and are seen, not into the files.
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
    rules: coreRules,
  },
  {
    name: 'slim-chat/typescript',
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: typedRules,
  },
  {
    name: 'slim-chat/sources',
    files: SOURCES,
    plugins: { local: { rules: { 'tsdoc-on-exports': tsdocOnExports } } },
    rules: {
      ...noDefaultExports,
      'local/tsdoc-on-exports': 'error',
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
    },
  },
  { name: 'slim-chat/timers', files: SOURCES, ignores: ['src/util/time.ts'], rules: noRawTimers },
  {
    name: 'slim-chat/style',
    files: [...SOURCES, ...TESTS],
    plugins: { style: { rules: { 'main-export-first': mainExportFirst, 'hash-private': hashPrivate } } },
    rules: { 'style/main-export-first': 'error', 'style/hash-private': 'error' },
  },
  {
    name: 'slim-chat/test-style',
    files: TESTS,
    plugins: { tests: { rules: { 'test-not-it': testNotIt } } },
    rules: { 'tests/test-not-it': 'error' },
  },
  ...Object.keys(FOLDERS).map(folderConfig),
  { name: 'slim-chat/react', files: ['src/ui/**/*.{ts,tsx}'], ...reactHooks.configs.flat.recommended },
  {
    name: 'slim-chat/tests',
    files: TESTS,
    rules: {
      // A test that asserts a shape first may then say so; and fakes are often empty or synchronous.
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
