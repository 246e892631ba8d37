import { type NodeLogEvent, SlimNode } from '../node/index.js';
import { LineWriter } from './line-writer.js';
import { openLog } from './log-file.js';
import type { NodeSettings } from './options.js';
import { listenForSignals } from './process-signals.js';
import { TurnedAway } from './turned-away.js';

/**
 * Runs `slim-chat node` until a signal ends it.
 *
 * @returns the exit code
 * @throws ConfigError `port-in-use`, `bad-config`
 */
export async function runNode({ listen, isJson, logFile }: NodeSettings, stdout: NodeJS.WriteStream): Promise<number> {
  const log = openLog(logFile);
  let isTelling = true;
  let end: (exitCode: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const writer = new LineWriter(stdout, {
    // Whoever reads where it listens may go on without reading the rest; a node that cannot say it at all is of no use.
    onGone: (error) => {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') end(74);
    },
    onBlocked: (isBlocked) => {
      isTelling = !isBlocked;
    },
  });
  const stopListening = listenForSignals((exitCode) => {
    // Ctrl+C is how a node is meant to be ended.
    end(exitCode === 130 ? 0 : exitCode);
  });
  const turnedAway = new TurnedAway();
  const onLog = (event: NodeLogEvent): void => {
    log.node(event);
    const words = turnedAway.onEvent(event);
    if (!isJson && isTelling && words !== undefined) writer.write(words);
    // To who does not read, only so much is kept.
    if (isJson && isTelling)
      writer.write(JSON.stringify({ v: 1, type: 'node', at: new Date().toISOString(), ...event }));
  };
  const node = await SlimNode.start({ ...listen, log: onLog });
  if (isJson) {
    writer.write(JSON.stringify({ v: 1, type: 'ready', at: new Date().toISOString(), url: node.endpoint }));
  } else {
    writer.write(`SLIM node at ${node.endpoint} - Ctrl+C ends it`);
    writer.write(`Chat through it with: --slim ${node.endpoint}`);
  }
  const exitCode = await ended;
  await node.close();
  stopListening();
  log.close();
  await writer.flush();
  if (exitCode === 74) writer.assertWritten();
  return exitCode;
}
