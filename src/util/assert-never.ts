/**
 * Ends a `switch` over a union: a member that was forgotten is a compile error here.
 *
 * @param value - what the switch did not handle
 */
export function assertNever(value: never): never {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`);
}
