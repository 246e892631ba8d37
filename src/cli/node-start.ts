import { type NodeLogEvent, SlimNode } from '../node/index.js';
import { type ClientConfig, GrpcTransport } from '../transport/index.js';
import { ConfigError, SlimError } from '../util/index.js';
import type { NodeMode } from './options.js';

/** How long a node on this computer may take to answer, milliseconds. */
const PROBE_MS = 300;

/**
 * Sees to it that there is a node: starts one in this program if nobody listens at the address (`auto`), or in any case.
 *
 * Two programs that start at the same moment both find nobody; one of them gets the port and the other one connects to it.
 *
 * @returns the node of this program; `undefined` if it needs none
 * @throws ConfigError `port-in-use` with `always`, `bad-config` when this computer cannot listen there
 */
export async function ensureNode(
  slim: ClientConfig,
  mode: NodeMode,
  log: (event: NodeLogEvent) => void,
): Promise<SlimNode | undefined> {
  if (mode === 'never') return undefined;
  // Trying to listen would not do: some systems let a second program listen on one address of a port that is taken on all.
  if (mode === 'auto' && !(await isRefused(slim))) return undefined;
  try {
    return await SlimNode.start({ host: slim.host, port: slim.port, log });
  } catch (error) {
    if (mode === 'auto' && error instanceof ConfigError && error.code === 'port-in-use') return undefined;
    throw error;
  }
}

/** Whether evidently nobody listens there. Silence is no such evidence: it may be a node that is busy. */
async function isRefused(slim: ClientConfig): Promise<boolean> {
  const transport = new GrpcTransport({ ...slim, connectTimeoutMs: PROBE_MS, requestTimeoutMs: PROBE_MS });
  const ignore = (): void => undefined;
  try {
    const connection = await transport.open({ onFrame: ignore, onDrain: ignore, onEnd: ignore });
    await connection.close();
    return false;
  } catch (error) {
    if (!(error instanceof SlimError)) throw error;
    return error.code === 'refused';
  } finally {
    transport.close();
  }
}
