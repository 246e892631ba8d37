import { afterAll, beforeAll } from 'vitest';

import { SlimNode } from '../../src/node/index.js';
import { nodeSuite } from '../compliance/node-suite.js';

let node: SlimNode;
beforeAll(async () => {
  node = await SlimNode.start({ port: 0 });
});
afterAll(async () => {
  await node.close();
});

nodeSuite('embedded node', () => node.endpoint, { version: 'ours' });

// A released node, started by hand: SLIM_NODE_URL=http://127.0.0.1:46357 SLIM_NODE_VERSION=1.4.0
const url = process.env['SLIM_NODE_URL'];
if (url !== undefined) {
  nodeSuite(`node at ${url}`, () => url, { version: process.env['SLIM_NODE_VERSION'] ?? '1.4.0' });
}
