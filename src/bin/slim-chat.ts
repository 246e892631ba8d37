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

// React reads it when it is loaded. Its development build, which many have set in their shell for programs of their own, leaks a little
// with every frame.
process.env['NODE_ENV'] = 'production';
// Ink looks for a debugger then, and writes over the screen that there is none.
delete process.env['DEV'];
// Ink draws nothing until the end when it believes to be in CI, which a terminal that shows it contradicts.
if (process.stdout.isTTY) {
  process.env['CI'] = 'false';
  delete process.env['CONTINUOUS_INTEGRATION'];
}
// Ink's colours know FORCE_COLOR only.
const noColor = process.env['NO_COLOR'];
if (noColor !== undefined && noColor !== '') process.env['FORCE_COLOR'] = '0';

// In a directory that was deleted it throws, and packages ask for it while they are loaded. No file is there that could be meant; one
// that is named by a relative path is still reported as missing.
const cwd = process.cwd.bind(process);
process.cwd = (): string => {
  try {
    return cwd();
  } catch {
    return '/';
  }
};

// What is typed from now on is for the chat: the terminal must neither echo it nor make lines of it. Loading the rest takes a while.
// Where there will be no terminal UI after all, the program goes back to line mode.
const hasOtherFace = process.argv
  .slice(2)
  .some((word) => /^(?:node|-h|--(?:plain|json|help|version)(?:=.*)?)$/.test(word));
const mayDraw = !hasOtherFace && process.stdout.isTTY && process.env['TERM'] !== 'dumb';
if (mayDraw && process.stdin.isTTY) process.stdin.setRawMode(true);

const { main } = await import('../cli/index.js');
await main();
