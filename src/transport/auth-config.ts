import { badConfig, type ConfigReader, unsupportedConfig } from './config-reader.js';

/** How a connection proves itself to the node, with one `authorization` header. Has nothing to do with identities of apps. */
export type AuthConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** The content of a file, read again for each connection. */
  | { readonly kind: 'static-jwt'; readonly file: string };

const SUPPORTED = "Use 'none', 'basic' or 'static_jwt'";

/**
 * Reads the `auth` object. slim 0.7.0 `config/src/auth/{basic,static_jwt}.rs`.
 *
 * @throws ConfigError `bad-config`, `unsupported-config`
 * @internal
 */
export function readAuth(reader: ConfigReader | undefined): AuthConfig {
  if (!reader) return { kind: 'none' };
  const auth = readKind(reader, reader.requiredString('type'));
  reader.done();
  return auth;
}

function readKind(reader: ConfigReader, type: string): AuthConfig {
  switch (type) {
    case 'none':
      return { kind: 'none' };
    case 'basic': {
      const username = reader.requiredString('username');
      if (username.includes(':')) throw badConfig(reader.path('username'), 'must not hold a colon');
      return { kind: 'basic', username, password: reader.requiredString('password') };
    }
    case 'static_jwt':
      // The duration says how long upstream keeps what it has read.
      reader.count('duration');
      return { kind: 'static-jwt', file: reader.requiredString('file') };
    case 'jwt':
    case 'spire':
      throw unsupportedConfig(reader.path('type'), `'${type}' is not supported. ${SUPPORTED}`);
    default:
      throw badConfig(reader.path('type'), `is not known. ${SUPPORTED}`);
  }
}
