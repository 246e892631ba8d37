/** How a piece of text looks. `color` is the number of an SGR foreground colour. */
export interface Style {
  readonly color?: number;
  readonly bold?: boolean;
  readonly dim?: boolean;
}

/** Gives a piece of text without newlines its look. */
export type Paint = (text: string, style: Style) => string;

/** The colours of names: those that every theme has and that are not black, white or grey. */
const NAME_COLORS = [31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96] as const;

/** The styles that are not names. */
export const THEME = {
  info: { dim: true },
  alert: { color: 31, bold: true },
  time: { dim: true },
  pending: { dim: true },
  notice: { bold: true },
  status: { dim: true },
} as const satisfies Readonly<Record<string, Style>>;

/** FNV-1a over UTF-16 units: small, and the same in every version of the program. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}

/** The look of a name: always the same colour for the same name, the own one bold. */
export function nameStyle(name: string, isOwn: boolean): Style {
  const color = NAME_COLORS[hash(name) % NAME_COLORS.length] ?? NAME_COLORS[0];
  return { color, bold: isOwn };
}

/** Whether the environment wants colours (https://no-color.org, and the launcher's FORCE_COLOR=0). */
export function wantsColor(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env['NO_COLOR'] ?? '') === '' && env['FORCE_COLOR'] !== '0' && env['TERM'] !== 'dumb';
}

/** A {@link Paint} that paints, or one that leaves the text alone. */
export function makePaint(isColored: boolean): Paint {
  if (!isColored) return (text) => text;
  return (text, { color, bold = false, dim = false }) => {
    const codes = [bold ? 1 : undefined, dim ? 2 : undefined, color].filter((code) => code !== undefined);
    return text === '' || codes.length === 0 ? text : `\u001b[${codes.join(';')}m${text}\u001b[0m`;
  };
}
