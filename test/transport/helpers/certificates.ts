import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A certificate and its key, as files and as text. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** Why there can be no certificates here, or nothing. Tests that need them are skipped with it. */
export const missingOpenssl: string | undefined = findMissingOpenssl();

function findMissingOpenssl(): string | undefined {
  try {
    const version = execFileSync('openssl', ['version'], { encoding: 'utf8' });
    return /^OpenSSL [3-9]/.test(version) ? undefined : `openssl is not version 3 or later but ${version.trim()}`;
  } catch {
    return 'the openssl program is not installed';
  }
}

/** Makes throw-away certificates in a folder of its own. */
export class CertificateAuthority {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-tls-'));
  readonly ca: Certificate;

  constructor(name = 'test authority') {
    this.ca = this.#make('ca', ['-x509', '-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE']);
  }

  /**
   * Makes a certificate that this authority has signed.
   *
   * @param file - base name of its files
   * @param names - subject alternative names such as `DNS:localhost`; none for a client
   */
  sign(file: string, names: readonly string[]): Certificate {
    const extensions = names.length > 0 ? ['-addext', `subjectAltName=${names.join(',')}`] : [];
    const issuer = ['-x509', '-CA', this.ca.certFile, '-CAkey', this.ca.keyFile];
    return this.#make(file, ['-subj', `/CN=${file}`, ...extensions, ...issuer]);
  }

  /** A file with this content. */
  file(name: string, content: string): string {
    const file = path.join(this.#folder, name);
    writeFileSync(file, content);
    return file;
  }

  #make(file: string, args: readonly string[]): Certificate {
    const certFile = path.join(this.#folder, `${file}.pem`);
    const keyFile = path.join(this.#folder, `${file}.key`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', ...key, '-keyout', keyFile, '-out', certFile, ...args], { stdio: 'pipe' });
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }

  /** Deletes everything. */
  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
