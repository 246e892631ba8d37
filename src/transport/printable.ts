/**
 * Text from a peer, a certificate or a configuration file, made fit for an error message: control and formatting characters
 * become `?`, and what is too long is cut.
 *
 * @param text - anything
 * @param maxLength - in UTF-16 units
 * @internal
 */
export function printable(text: string, maxLength = 200): string {
  const clean = text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return clean.length > maxLength ? `${clean.slice(0, maxLength)}...` : clean;
}
