// Operator schemas as libtorch prints them, read.

/** The parameters of a schema: `{ type, list, nullable, fixed, keyword, out, name, hasDefault }` each. */
exports.parameters = (schema) => {
  const inside = schema.slice(schema.indexOf('(') + 1, schema.lastIndexOf(') ->'));
  let keyword = false;
  const result = [];
  for (const part of inside.split(/, (?![^[(]*[\])])/)) {
    if (part === '*') keyword = true;
    const [, type, name, value] = /^(.+?) (\w+)(=.*)?$/.exec(part) ?? [];
    if (type === undefined) continue;
    const plain = type.replace(/\([^)]*\)/g, '');
    const list = /\[(\d*)\]/.exec(plain);
    result.push({
      type: plain
        .replace(/[?]|\[\d*\]/g, '')
        .replace('Sym', '')
        .replace(/^Int$/, 'int')
        .replace(/^Float$/, 'float')
        .replace(/^Bool$/, 'bool'),
      list: list !== null,
      nullable: plain.includes('?'),
      fixed: list?.[1] ? Number(list[1]) : 0,
      keyword,
      out: keyword && type.includes('!'),
      name,
      hasDefault: value !== undefined,
    });
  }
  return result;
};

/**
 * `{ schema, namespace, name, parameters }` of every schema that may be called without leaving this process and its
 * files.
 */
exports.callable = (schemas, pattern) =>
  schemas
    .filter(
      (schema) =>
        pattern.test(schema) &&
        !/^(aten::(from_file|_print|save|sleep)\b|(c10d|_c10d\w*|symm_mem|profiler)::)/.test(schema),
    )
    .map((schema) => {
      const [, namespace, name] = /^(\w+)::(\w+)/.exec(schema);
      return { schema, namespace, name, parameters: exports.parameters(schema) };
    });
