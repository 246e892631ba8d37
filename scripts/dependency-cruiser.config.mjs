import { FOLDERS } from './folder-rules.mjs';

const folders = Object.keys(FOLDERS);

/** Files of a folder without those of the folders nested in it. */
function filesOf(folder) {
  const nested = folders
    .filter((other) => other.startsWith(`${folder}/`))
    .map((other) => `${other.slice(folder.length + 1)}/`);
  return `^src/${folder}/${nested.length > 0 ? `(?!${nested.join('|')})` : ''}`;
}

function folderRules(folder) {
  const { may, types = {} } = FOLDERS[folder];
  const typesOf = Object.keys(types);
  // Single values are beyond this tool; ESLint watches over those folders.
  const onlyTypesOf = typesOf.filter((other) => types[other].length === 0);
  const forbidden = folders.filter((other) => other !== folder && !may.includes(other) && !typesOf.includes(other));
  const rules = [
    {
      name: `${folder}-imports`,
      comment: `${folder}/ may import: ${[...may, ...typesOf.map((other) => `${other} (types)`)].join(', ') || 'nothing'}`,
      severity: 'error',
      from: { path: filesOf(folder) },
      to: { path: forbidden.map(filesOf) },
    },
    {
      name: `${folder}-through-index`,
      comment: 'Other folders are used through their index.ts',
      severity: 'error',
      from: { path: filesOf(folder) },
      to: {
        path: folders.filter((other) => other !== folder).map(filesOf),
        pathNot: '/index\\.ts$',
      },
    },
  ];
  if (onlyTypesOf.length > 0) {
    rules.push({
      name: `${folder}-types-only`,
      comment: `${folder}/ may import only types of: ${onlyTypesOf.join(', ')}`,
      severity: 'error',
      from: { path: filesOf(folder) },
      to: { path: onlyTypesOf.map(filesOf), dependencyTypesNot: ['type-only'] },
    });
  }
  return rules;
}

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files that need each other at run time are one file, or lack a third. Types may refer to each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'not-resolved',
      comment: 'An import that leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency',
      comment: 'What runs at the user must be a dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-test-code',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(?:test|scripts)/' },
    },
    ...folders.flatMap(folderRules),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
