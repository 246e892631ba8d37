/**
 * Our node in a process of its own, for tests: prints a JSON line with its url when clients can connect, ends with stdin or SIGTERM.
 *
 *   node embedded-node.mjs HOST:PORT     of the built package; port 0 picks one
 */
import { parseListen, SlimNode } from '../../dist/node/index.js';

const node = await SlimNode.start(parseListen(process.argv[2] ?? '127.0.0.1:0'));
process.stdout.write(`${JSON.stringify({ event: 'ready', url: node.endpoint, pid: process.pid })}\n`);

async function end() {
  await node.close();
  process.exit(0);
}
process.on('SIGTERM', end);
process.stdin.resume().on('end', end);
