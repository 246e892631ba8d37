/** Messages to everybody are numbered below this; above are the random numbers of messages to one member (0.7.1 and later). */
export const SEQUENCE_LIMIT = 2 ** 31;

/** How far `to` lies after `from`, from -2^30 to 2^30: numbers wrap (`session_receiver.rs` of 0.7.1). */
export function sequenceDistance(from: number, to: number): number {
  const distance = (to - from) % SEQUENCE_LIMIT;
  if (distance > SEQUENCE_LIMIT / 2) return distance - SEQUENCE_LIMIT;
  if (distance < -SEQUENCE_LIMIT / 2) return distance + SEQUENCE_LIMIT;
  return distance;
}

/** The number `steps` after `id`. */
export function sequenceAdd(id: number, steps: number): number {
  return (((id + steps) % SEQUENCE_LIMIT) + SEQUENCE_LIMIT) % SEQUENCE_LIMIT;
}
