/**
 * Which folder of `src/` may use what. One table for two tools: ESLint (says it in the editor) and dependency-cruiser (follows
 * the imports to the files). Nothing else in the repository repeats it.
 *
 * `may`    folders whose index.ts may be imported
 * `types`  folders of which only types may be imported; with a list, those values too (constants of the schema)
 * `pure`   no clock, no randomness, no timers, no process, no node:* modules: everything impure is passed in
 */
export const FOLDERS = {
  bin: { may: ['cli'] },
  cli: { may: ['ui', 'runtime', 'chat', 'client', 'node', 'auth', 'transport', 'name', 'util'] },
  runtime: { may: ['chat', 'client', 'name', 'util'] },
  ui: { may: ['ui/input', 'chat', 'util'] },
  'ui/input': { may: ['util'] },
  chat: { may: ['name', 'util'], types: { client: [] }, pure: true },
  client: { may: ['protocol', 'name', 'mls', 'auth', 'transport', 'wire', 'util'] },
  node: { may: ['name', 'transport', 'wire', 'util'] },
  protocol: { may: ['name', 'util'], types: { wire: ['MessageType', 'SessionType'], mls: [] }, pure: true },
  mls: { may: ['util'] },
  auth: { may: ['util'] },
  transport: { may: ['wire', 'util'] },
  name: { may: ['util'], pure: true },
  wire: { may: ['name'] },
  util: { may: [] },
};

/** Packages that only some folders may import. The pattern matches the import as it is written. */
export const PACKAGES = [
  { pattern: '^(?:react|ink)(?:/|$)', folders: ['ui', 'cli'], why: 'React and Ink stay in the terminal UI.' },
  { pattern: '^@grpc/', folders: [], why: 'grpc-js is the foreign peer of the tests; see src/DECISIONS.md.' },
  { pattern: '^node:http2$', folders: ['transport', 'node'], why: 'HTTP/2 is a detail of the transport and the node.' },
  { pattern: '^protobufjs', folders: ['wire'], why: 'Only the codec knows protobuf.' },
  { pattern: '^yargs', folders: ['cli'], why: 'Command line options are read in one place.' },
];

/** Globals a pure folder must not touch. */
export const IMPURE_GLOBALS = [
  'Date',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'fetch',
  'performance',
  'process',
  'setImmediate',
  'setInterval',
  'setTimeout',
];
