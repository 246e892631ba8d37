import { JsonProcess, type JsonProcessOptions } from './json-process.js';
import { text } from './json-fields.js';
import { programPath } from './paths.js';
import { kitScript, pythonOf, scriptOf, slimProgram } from './peers-kit.js';

/**
 * Which message node: ours, the one inside released bindings of a version (`gen2/3.3.8` of generation 2), or a released `slim` program
 * (`node-0.7.0`).
 */
export type NodeKind = 'embedded' | `${number}.${number}.${number}` | `gen2/${string}` | `node-${string}`;

/** A running node. */
export interface NodeProcess {
  readonly kind: NodeKind;
  /** What clients connect to, `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly process: JsonProcess;
}

const READY_MS = 30_000;

function commandOf(kind: NodeKind, listen: string): Omit<JsonProcessOptions, 'label'> {
  if (kind === 'embedded') {
    return {
      command: process.execPath,
      args: [programPath, 'node', '--json', '--listen', listen],
      outlivesInput: true,
    };
  }
  if (kind.startsWith('node-')) {
    return { command: 'python3', args: [kitScript('node.py'), '--listen', listen, '--binary', slimProgram(kind)] };
  }
  return { command: pythonOf(kind), args: [scriptOf(kind, 'node.py'), '--listen', listen] };
}

/**
 * Starts a node and waits until it accepts connections.
 *
 * @param listen - `host:port`, port 0 picks one
 * @param options - more of the kit's `node.py`
 */
export async function startNode(
  kind: NodeKind,
  listen = '127.0.0.1:0',
  options: readonly string[] = [],
): Promise<NodeProcess> {
  const { args, ...command } = commandOf(kind, listen);
  const child = new JsonProcess({ label: `node ${kind}`, ...command, args: [...args, ...options] });
  try {
    const ready = await child.waitFor(
      'ready',
      (line) => line['event'] === 'ready' || line['type'] === 'ready',
      READY_MS,
    );
    return { kind, url: text(ready, 'url'), process: child };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
