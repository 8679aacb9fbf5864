/** One long pattern out of several that follow each other, with the flags of the last. */
export const joined = (...parts: RegExp[]): RegExp =>
  new RegExp(parts.map(({ source }) => source).join(''), parts.at(-1)!.flags);
