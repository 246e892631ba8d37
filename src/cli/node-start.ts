import { connect } from 'node:net';

import { type NodeLogEvent, SlimNode } from '../node/index.js';
import { ConfigError } from '../util/index.js';
import type { NodeMode } from './options.js';

/** How long a node on this computer may take to answer, milliseconds. */
const PROBE_MS = 300;

/** Where a node is or could be. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Sees to it that there is a node: starts one in this program if nobody listens at the address (`auto`), or in any case.
 *
 * Two programs that start at the same moment both find nobody; one of them gets the port and the other one connects to it.
 *
 * @returns the node of this program; `undefined` if it needs none
 * @throws ConfigError `port-in-use` with `always`, `bad-config` when this computer cannot listen there
 */
export async function ensureNode(
  { host, port }: NodeAddress,
  mode: NodeMode,
  log: (event: NodeLogEvent) => void,
): Promise<SlimNode | undefined> {
  if (mode === 'never') return undefined;
  if (mode === 'auto' && !(await isRefused(host, port))) return undefined;
  try {
    return await SlimNode.start({ host, port, log });
  } catch (error) {
    if (mode === 'auto' && error instanceof ConfigError && error.code === 'port-in-use') return undefined;
    throw error;
  }
}

/** Whether evidently nobody listens there. Silence is no such evidence: it may be a node that is busy. */
async function isRefused(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (refused: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(refused);
    };
    const timer = setTimeout(() => {
      settle(false);
    }, PROBE_MS);
    socket.once('connect', () => {
      settle(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      settle(error.code === 'ECONNREFUSED');
    });
  });
}
