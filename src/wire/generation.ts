import protobuf from 'protobufjs/minimal.js';

import { delimited, LINK, LINK_NEGOTIATION, MESSAGE, varint } from './tags.js';

/** The last version of the generation that this package speaks: its first one is 0.7. */
const LAST_MAJOR = 1;

const LONGEST_VERSION = 64;

// Semantic Versioning 2.0.0: no leading zeros, optional pre-release and build parts.
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-z-][\da-z-]*)(\.(0|[1-9]\d*|\d*[a-z-][\da-z-]*))*)?(\+[\da-z-]+(\.[\da-z-]+)*)?$/i;

/** What the `slim_version` of a link message tells. */
export interface SlimVersion {
  /** As it came: at most 64 letters, digits, dots, hyphens and plus signs. */
  readonly text: string;
  /** Its first number. */
  readonly major: number;
  /** Whether what is encoded there cannot be read here: generation 2 began with 2.0.0. */
  readonly isOtherGeneration: boolean;
}

/** Reads a `slim_version`; `undefined` for one that nodes would not take either. */
export function parseSlimVersion(text: string): SlimVersion | undefined {
  if (text.length > LONGEST_VERSION || !SEMVER.test(text)) return undefined;
  const major = Number.parseInt(text, 10);
  return { text, major, isOtherGeneration: major > LAST_MAJOR };
}

/** Fields of `LinkNegotiationPayload` that generation 2 has added. Nodes of generation 1 pass over them. */
const ADDED = { linkEcdhPublicKey: delimited(4), connectionType: varint(5) } as const;

/** The `LinkConnectionType` of an app. */
const EDGE = 2;

/**
 * The link message that nodes of every version answer with their own one, except those before 1.3, which have no answer. For a stream
 * that is used for nothing else (data-plane.md 5.3).
 *
 * @param linkId - UUID v4
 * @param slimVersion - of this side
 * @param linkEcdhPublicKey - 32 bytes, as a key of X25519 has them; without a key most nodes of generation 2 hang up
 */
export function encodeGenerationQuestion(
  linkId: string,
  slimVersion: string,
  linkEcdhPublicKey: Uint8Array,
): Uint8Array {
  return protobuf.Writer.create()
    .uint32(MESSAGE.link)
    .fork()
    .uint32(LINK.negotiation)
    .fork()
    .uint32(LINK_NEGOTIATION.linkId)
    .string(linkId)
    .uint32(LINK_NEGOTIATION.slimVersion)
    .string(slimVersion)
    .uint32(ADDED.linkEcdhPublicKey)
    .bytes(linkEcdhPublicKey)
    .uint32(ADDED.connectionType)
    .uint32(EDGE)
    .ldelim()
    .ldelim()
    .finish();
}
