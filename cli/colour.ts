import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Styles a text, or gives it back as it is. */
export type Paint = (style: Style, text: string) => string;

/** Colours are for terminals, and for those who did not refuse them (no-color.org). */
export function paintFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  const refused = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  if (!isTerminal || refused) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}
