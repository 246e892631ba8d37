/** The largest message of the data plane, in bytes; a limit of every hop (data-plane.md 1.3). */
export const MAX_MESSAGE_BYTES = 4_194_304;
