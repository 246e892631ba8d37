/**
 * Identity tokens: who sent a message. Makes the tokens that go into the header of each message, and checks those of peers;
 * a token is proven before anything in it is read. Knows nothing of the wire, of sessions, or of how a connection is authorised.
 *
 * Today there is the shared secret. A JWT kind would come as a second pair of the same interfaces; its verifier may have to
 * fetch keys, so `verify` would become one that may answer later. Nothing here prepares for that.
 *
 * @packageDocumentation
 */
export { SharedSecret, type SharedSecretOptions, validateSecret } from './shared-secret.js';
export type { TokenProblem, TokenProvider, TokenVerifier, VerifiedToken } from './token.js';
