const LONGEST = 80;

/** Describes any value in a few words, for the message of an error. It never throws. */
export function show(value: unknown): string {
  try {
    return cut(describe(value), LONGEST + 3); // room for quotes around a string that was cut
  } catch {
    return `a value of type ${typeof value}`; // a proxy, or an object whose methods throw
  }
}

const cut = (text: string, longest = LONGEST): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);

function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${cut(value)}'`;
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return value.toString();
    case 'function':
      return `the function ${value.name || '(without a name)'}`;
    case 'object':
      return value === null ? 'null' : describeObject(value);
    default:
      return String(value);
  }
}

function describeObject(value: object): string {
  if (value instanceof Error) return `the error '${value.message}'`;
  const above = new Set<object>(); // of a value within others, as JSON visits it
  const replacer = (_: string, item: unknown): unknown => {
    if (typeof item === 'bigint' || typeof item === 'symbol' || typeof item === 'function') return describe(item);
    if (typeof item !== 'object' || item === null) return item;
    if (above.has(item)) return '…';
    above.add(item);
    return item;
  };
  const { constructor } = value;
  const isPlain = Array.isArray(value) || constructor === Object || constructor === undefined;
  return isPlain ? JSON.stringify(value, replacer) : `a ${constructor.name}`;
}
