#!/usr/bin/env node
/*
 * Starts the program. Only what must happen before any other module is loaded is here, in syntax that old versions of Node
 * understand, so that they get a text and not a syntax error.
 */
export {};

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`slim-chat: needs Node 20.19 or later, this is ${process.versions.node}\n`);
  process.exit(2);
}

// The arguments may hold the secret, and everybody on this computer can list processes.
process.title = 'slim-chat';

// React reads it when it is loaded; its development build leaks a little with every frame.
process.env['NODE_ENV'] ??= 'production';
// Ink draws nothing until the end when it believes to be in CI, which a terminal that shows it contradicts.
if (process.stdout.isTTY) process.env['CI'] = 'false';
// Ink's colours know FORCE_COLOR only.
const noColor = process.env['NO_COLOR'];
if (noColor !== undefined && noColor !== '') process.env['FORCE_COLOR'] = '0';

const { main } = await import('../cli/index.js');
await main();
