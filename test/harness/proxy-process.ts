import { JsonProcess } from './json-process.js';
import { text } from './json-fields.js';
import { kitScript, pythonOf } from './peers-kit.js';

/** A proxy in front of a node that writes down every gRPC message in both directions. */
export interface ProxyProcess {
  /** What clients connect to instead of the node, `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** One JSON line a message; its bytes are in `hex`. */
  readonly traceFile: string;
  readonly process: JsonProcess;
}

const READY_MS = 30_000;

/** Starts the kit's recording proxy in front of the node at `nodeUrl` and waits until it accepts connections. */
export async function startProxy(nodeUrl: string, traceFile: string): Promise<ProxyProcess> {
  const args = [kitScript('proxy.py'), '--node', new URL(nodeUrl).host, '--out', traceFile];
  const child = new JsonProcess({ label: 'proxy', command: pythonOf('proxy'), args });
  try {
    const ready = await child.waitFor('ready', (line) => line['event'] === 'ready', READY_MS);
    return { url: text(ready, 'url'), traceFile, process: child };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
