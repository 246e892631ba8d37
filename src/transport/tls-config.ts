import { badConfig, type ConfigReader, unsupportedConfig } from './config-reader.js';

/** Text in PEM format, or the file with it; files are read again for each connection. */
export type PemSource =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'pem'; readonly data: string };

/** How to do TLS. */
export interface TlsConfig {
  /** Certificates to trust. */
  readonly ca: PemSource | undefined;
  /** Whether to trust the well-known authorities too. */
  readonly useSystemRoots: boolean;
  /** What to show to a node that asks for a client certificate. */
  readonly identity: { readonly cert: PemSource; readonly key: PemSource } | undefined;
  /** False accepts any certificate of any name. */
  readonly verifyServer: boolean;
  /** Exactly this version. */
  readonly version: 'TLSv1.2' | 'TLSv1.3';
}

const DEFAULT_TLS: TlsConfig = {
  ca: undefined,
  useSystemRoots: true,
  identity: undefined,
  verifyServer: true,
  version: 'TLSv1.3',
};

const OLD_CA = 'Use ca_source {"type": "file", "path": ...} or {"type": "pem", "data": ...}';
const OLD_IDENTITY = 'Use source {"type": "file", "cert": ..., "key": ...}, or "pem" instead of "file"';
/** Flat keys of SLIM 0.6 and of documents that are still around; upstream ignores them, and trusts the wrong ones. */
const OLD_KEYS = {
  ca_file: OLD_CA,
  ca_pem: OLD_CA,
  cert_file: OLD_IDENTITY,
  cert_pem: OLD_IDENTITY,
  key_file: OLD_IDENTITY,
  key_pem: OLD_IDENTITY,
};

/**
 * Reads the `tls` object. slim 0.7.0 `config/src/tls/client.rs:TlsClientConfig`, `tls/common.rs:Config`.
 *
 * @param secure - whether the endpoint is https
 * @throws ConfigError `bad-config`, `unsupported-config`
 * @internal
 */
export function readTls(reader: ConfigReader | undefined, secure: boolean): TlsConfig {
  if (!reader) return DEFAULT_TLS;
  const tls: TlsConfig = {
    ca: readCa(reader.object('ca_source')),
    useSystemRoots: reader.boolean('include_system_ca_certs_pool', true),
    identity: readIdentity(reader.object('source')),
    verifyServer: !reader.boolean('insecure_skip_verify', false),
    version: readVersion(reader),
  };
  const insecure = reader.boolean('insecure', false);
  // Upstream would speak plaintext to an https endpoint; with a CA it keeps TLS on.
  if (insecure && secure && !tls.ca) {
    throw badConfig(reader.path('insecure'), 'is true but the endpoint is https. Use an http:// endpoint, or drop it');
  }
  reader.object('reload_interval');
  reader.done(OLD_KEYS);
  return tls;
}

function readVersion(reader: ConfigReader): TlsConfig['version'] {
  const version = reader.string('tls_version') ?? 'tls1.3';
  switch (version) {
    case 'tls1.2':
      return 'TLSv1.2';
    case 'tls1.3':
      return 'TLSv1.3';
    default:
      throw badConfig(reader.path('tls_version'), "must be 'tls1.2' or 'tls1.3'");
  }
}

function readCa(reader: ConfigReader | undefined): PemSource | undefined {
  if (!reader) return undefined;
  const type = sourceType(reader);
  let ca: PemSource | undefined;
  if (type === 'file') ca = { kind: 'file', path: reader.requiredString('path') };
  if (type === 'pem') ca = { kind: 'pem', data: reader.requiredString('data') };
  reader.done();
  return ca;
}

function readIdentity(reader: ConfigReader | undefined): TlsConfig['identity'] {
  if (!reader) return undefined;
  const type = sourceType(reader);
  const part = (key: string): PemSource =>
    type === 'file'
      ? { kind: 'file', path: reader.requiredString(key) }
      : { kind: 'pem', data: reader.requiredString(key) };
  const identity = type === 'none' ? undefined : { cert: part('cert'), key: part('key') };
  reader.done();
  return identity;
}

function sourceType(reader: ConfigReader): 'none' | 'file' | 'pem' {
  const type = reader.requiredString('type');
  if (type === 'none' || type === 'file' || type === 'pem') return type;
  const advice = "Use 'none', 'file' or 'pem'";
  if (type === 'spire') throw unsupportedConfig(reader.path('type'), `'spire' is not supported. ${advice}`);
  throw badConfig(reader.path('type'), `is not known. ${advice}`);
}
