/**
 * Identity tokens: who sent a message. Makes the tokens that go into the header of each message, and checks those of peers;
 * a token is proven before anything in it is read. Knows nothing of the wire, of sessions, or of how a connection is authorised.
 *
 * Two kinds: a shared secret, and JWTs that are signed and checked with keys given at the start. A verifier that fetches keys would
 * do so beside `verify`, which answers at once: a token of a key that is not there yet does not hold, and its message comes again.
 *
 * @packageDocumentation
 */
export type { JwtAlgorithm } from './jwt-algorithm.js';
export type { JwkSet, JwtKeys } from './jwt-keys.js';
export { JwtSigner, type JwtSignerOptions } from './jwt-signer.js';
export { JwtVerifier, type JwtVerifierOptions } from './jwt-verifier.js';
export { LIFETIME_S, MAX_AHEAD_S, SharedSecret, type SharedSecretOptions, validateSecret } from './shared-secret.js';
export type { TokenProblem, TokenProvider, TokenVerifier, VerifiedToken } from './token.js';
