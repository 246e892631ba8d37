/** One option of the command line. The help, the README and the parser are made from these. */
export interface OptionInfo {
  readonly name: string;
  /** `text` may be given once, `list` several times and with commas, `switch` has no value. */
  readonly kind: 'text' | 'list' | 'switch';
  /** What the value is called in the help; empty for switches. */
  readonly arg: string;
  readonly help: string;
  /** Environment variable that gives the value where the option is absent. */
  readonly env?: string;
}

/** Options of the chat. */
export const CHAT_OPTIONS: readonly OptionInfo[] = [
  {
    name: 'local',
    kind: 'text',
    arg: 'ORG/NS/APP',
    help: 'your name; without it one is made from your user name',
    env: 'SLIM_LOCAL',
  },
  {
    name: 'invites',
    kind: 'list',
    arg: 'NAME,...',
    help: 'invite these; makes you the moderator of a group',
    env: 'SLIM_INVITES',
  },
  {
    name: 'remote',
    kind: 'text',
    arg: 'ORG/NS/CHANNEL',
    help: 'channel of the group you moderate; without it a new one is made up',
    env: 'SLIM_REMOTE',
  },
  {
    name: 'slim',
    kind: 'text',
    arg: 'ENDPOINT',
    help: 'the SLIM node: http://host:port, host:port, or a JSON document (default http://127.0.0.1:46357)',
    env: 'SLIM_SLIM',
  },
  {
    name: 'shared-secret',
    kind: 'text',
    arg: 'TEXT',
    help: 'secret of the group, 32 bytes or more; other users of this computer may see it in the list of processes',
    env: 'SLIM_SHARED_SECRET',
  },
  {
    name: 'shared-secret-file',
    kind: 'text',
    arg: 'FILE',
    help: 'the same from a file',
    env: 'SLIM_SHARED_SECRET_FILE',
  },
  {
    name: 'enable-mls',
    kind: 'switch',
    arg: '',
    help: 'end-to-end encryption (MLS) of the group you moderate; a group you are invited to decides itself',
    env: 'SLIM_ENABLE_MLS',
  },
  {
    name: 'mls-payload',
    kind: 'text',
    arg: 'auto|require|mixed|clear',
    help: 'with MLS: encrypt unless nobody else can decrypt (auto), always and show nothing that comes in clear, with copies in clear for SLIM before 1.0.1, or never',
    env: 'SLIM_MLS_PAYLOAD',
  },
  {
    name: 'keep-alive-group',
    kind: 'switch',
    arg: '',
    help: 'with --enable-mls: remove and invite each member again before its keys are an hour old, so that the group can go on',
    env: 'SLIM_KEEP_ALIVE_GROUP',
  },
  { name: 'plain', kind: 'switch', arg: '', help: 'one line per event, for pipes and screen readers' },
  { name: 'json', kind: 'switch', arg: '', help: 'JSON Lines on both sides, for programs' },
  {
    name: 'node',
    kind: 'text',
    arg: 'auto|always|never',
    help: 'start a node in this program: when none runs at the default endpoint (auto), in any case, or never',
    env: 'SLIM_NODE',
  },
  {
    name: 'timeout',
    kind: 'text',
    arg: 'DURATION',
    help: 'time between two tries of a message in your group, e.g. 500ms or 5s (default 1s)',
    env: 'SLIM_TIMEOUT',
  },
  {
    name: 'max-retries',
    kind: 'text',
    arg: 'NUMBER',
    help: 'tries after the first one (default 29)',
    env: 'SLIM_MAX_RETRIES',
  },
  {
    name: 'wait-invites',
    kind: 'switch',
    arg: '',
    help: 'go on inviting who does not answer, and invite again who went offline (default; --no-wait-invites: neither)',
  },
  {
    name: 'accept',
    kind: 'list',
    arg: 'auto|ask|never|NAME,...',
    help: 'invitations of others: join while you are in no group, else ask (auto, default); ask always; never join; join the groups of these moderators at any time and ask about others',
    env: 'SLIM_ACCEPT',
  },
  {
    name: 'linger',
    kind: 'text',
    arg: 'DURATION',
    help: 'how long to wait for deliveries at the end of the input (default: until they have succeeded or failed)',
    env: 'SLIM_LINGER',
  },
  {
    name: 'log-file',
    kind: 'text',
    arg: 'FILE',
    help: 'write a log in JSON Lines, without texts and secrets',
    env: 'SLIM_LOG_FILE',
  },
  { name: 'help', kind: 'switch', arg: '', help: 'show this' },
  { name: 'version', kind: 'switch', arg: '', help: 'show the version' },
];

/** Options of `slim-chat node`. */
export const NODE_OPTIONS: readonly OptionInfo[] = [
  {
    name: 'listen',
    kind: 'text',
    arg: 'HOST:PORT',
    help: 'where to listen (default 127.0.0.1:46357: this computer only); port 0 picks a free one',
  },
  { name: 'json', kind: 'switch', arg: '', help: 'JSON Lines on stdout' },
  { name: 'log-file', kind: 'text', arg: 'FILE', help: 'write a log in JSON Lines', env: 'SLIM_LOG_FILE' },
  { name: 'help', kind: 'switch', arg: '', help: 'show this' },
];

/** An option of SLIM's example programs that this program does not have. */
export interface MissingOption {
  readonly name: string;
  /** What it would switch on. */
  readonly what: string;
  /** Environment variable of the example programs. */
  readonly env: string;
}

/** Options that people may bring along from SLIM's examples. Ignoring one would promise what is not done. */
export const MISSING_OPTIONS: readonly MissingOption[] = [
  { name: 'jwt', what: 'identity by JWT', env: 'SLIM_JWT' },
  { name: 'spire-trust-bundle', what: 'identity by SPIRE', env: 'SLIM_SPIRE_TRUST_BUNDLE' },
  { name: 'spire-socket-path', what: 'identity by SPIRE', env: 'SLIM_SPIRE_SOCKET_PATH' },
  { name: 'spire-target-spiffe-id', what: 'identity by SPIRE', env: 'SLIM_SPIRE_TARGET_SPIFFE_ID' },
  { name: 'spire-jwt-audience', what: 'identity by SPIRE', env: 'SLIM_SPIRE_JWT_AUDIENCE' },
  { name: 'audience', what: 'identity by JWT', env: 'SLIM_AUDIENCE' },
  { name: 'enable-opentelemetry', what: 'OpenTelemetry', env: 'SLIM_ENABLE_OPENTELEMETRY' },
];
