import { JsonProcess, type JsonProcessOptions } from './json-process.js';
import { text } from './json-fields.js';
import { programPath } from './paths.js';
import { kitScript, pythonOf, slimProgram } from './peers-kit.js';

/** Which message node: ours, the one inside released bindings of a version, or a released `slim` program (`node-0.7.0`). */
export type NodeKind = 'embedded' | `${number}.${number}.${number}` | `node-${string}`;

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
  return { command: pythonOf(kind), args: [kitScript('node.py'), '--listen', listen] };
}

/** Starts a node and waits until it accepts connections; `listen` is `host:port`, port 0 picks one. */
export async function startNode(kind: NodeKind, listen = '127.0.0.1:0'): Promise<NodeProcess> {
  const child = new JsonProcess({ label: `node ${kind}`, ...commandOf(kind, listen) });
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
