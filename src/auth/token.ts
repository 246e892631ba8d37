/** Makes the identity tokens of this app. */
export interface TokenProvider {
  /** Whom the tokens name: what a verifier of them gives as `subject`. The same for the life of the provider. */
  readonly subject: string;
  /**
   * A token that is valid now. It is called for each message that leaves, retransmissions too (`interceptor.rs:on_msg_from_app`).
   *
   * @param nowMs - milliseconds since 1970
   * @param publicKey - raw signature key to vouch for: the token of an MLS credential needs it, that of a message does not
   */
  mint(nowMs: number, publicKey?: Uint8Array): string;
}

/**
 * Why a token was refused: `malformed` is no token of this kind, `expired` and `future` lie outside of its time window by the
 * clock of this machine, `bad-mac` is forged or made with another secret or key; `wrong-issuer` and `wrong-audience` come from
 * somebody, or are for somebody, that this app was not told.
 */
export type TokenProblem = 'malformed' | 'expired' | 'future' | 'bad-mac' | 'wrong-issuer' | 'wrong-audience';

/** What {@link TokenVerifier.verify} finds. */
export type VerifiedToken =
  | {
      readonly ok: true;
      /** Whom the token names. Chosen by the peer: for people only after the display filter, never a path or pattern. */
      readonly subject: string;
      /** The signature key the token vouches for, raw. Peers since 1.3 send one in every token, older ones only with MLS. */
      readonly publicKey?: Uint8Array;
      /** When it ends by what it says, in milliseconds since 1970. Absent when all tokens live an hour, as with a shared secret. */
      readonly expiresAtMs?: number;
      /** When it was made, by the clock of its maker, in milliseconds since 1970. Absent when one token serves many messages. */
      readonly issuedAtMs?: number;
    }
  | {
      readonly ok: false;
      readonly reason: TokenProblem;
      /**
       * Of a token that is genuine, and made for its message, but outside of its time: by how many seconds the clock of its maker is ahead
       * of ours; negative when it is behind.
       */
      readonly clockOffS?: number;
      /** Of a token that is genuine and serves many messages: how many seconds ago it ended, by our clock. */
      readonly endedS?: number;
    };

/** Checks the identity tokens of peers. */
export interface TokenVerifier {
  /**
   * Checks a token. Never throws, whatever the token is.
   *
   * @param nowMs - milliseconds since 1970
   * @param checkTime - false: one that has expired passes, one from the future still does not. For tokens that were valid when
   * they came and are only looked at again, as those of the members of an MLS group
   */
  verify(token: string, nowMs: number, checkTime?: boolean): VerifiedToken;
}
