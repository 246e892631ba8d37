import type { ChatEventBody } from '../chat/index.js';
import type { AppPort } from './ports.js';
import type { RuntimeConfig } from './runtime-config.js';

const CLEAR_COPIES =
  '--mls-payload mixed: in groups with MLS, members that cannot decrypt (SLIM before 1.0.1) get copies in clear of what you write';

/** What is told first, as soon as the app is connected: who it is, and what its user must not overlook. */
export function startEvents({ name, endpoint }: AppPort, config: RuntimeConfig): readonly ChatEventBody[] {
  const { channel, isNodeEmbedded, version } = config;
  const ready: ChatEventBody = {
    type: 'ready',
    local: name.toString(),
    node: { endpoint, embedded: isNodeEmbedded },
    role: channel === undefined ? 'participant' : 'moderator',
    channel: channel?.toString() ?? null,
    version,
  };
  if (!config.givesClearCopies) return [ready];
  return [ready, { type: 'warning', code: 'mls-clear-copies', message: CLEAR_COPIES }];
}
