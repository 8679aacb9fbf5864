import { isAbsolute, normalize } from 'node:path';

import { type OptionSpec, text } from './define';

/** The longest file name that most file systems accept, in bytes of UTF-8. */
const LONGEST = 255;

/** Makes the option for the name of a run: a folder below that of all runs, such as `a` or `group/a`. */
export function runName(spec: { doc: string; default: string }): OptionSpec<string> {
  return { ...text(spec), expects: (value) => (isRunName(value) ? undefined : 'the name of a folder below --logs') };
}

function isRunName(name: unknown): boolean {
  if (typeof name !== 'string' || isAbsolute(name) || /\p{Cc}/u.test(name)) return false;
  const parts = normalize(name).split('/').filter(Boolean);
  return (
    parts.length > 0 && !['.', '..'].includes(parts[0]) && parts.every((part) => Buffer.byteLength(part) <= LONGEST)
  );
}
