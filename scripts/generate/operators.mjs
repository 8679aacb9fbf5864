// Makes src/torch/operators.gen.ts, the types of every operator, and src/torch/operator_names.gen.ts, their names and
// the version of libtorch, from libtorch's own schemas.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

const scalarTypes = {
  Tensor: 'Tensor',
  int: 'number | bigint',
  SymInt: 'number | bigint',
  float: 'number',
  SymFloat: 'number',
  bool: 'boolean',
  SymBool: 'boolean',
  Scalar: 'Scalar',
  number: 'Scalar',
  str: 'string',
  Device: 'string',
  ScalarType: 'DType',
  Layout: 'Layout',
  MemoryFormat: 'MemoryFormat',
  Generator: 'Generator',
  complex: 'Complex',
};

/** Splits a text at the commas outside brackets and strings. */
function split(text) {
  const parts = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    if (quote) {
      if (sign === quote) quote = '';
    } else if (sign === '"' || sign === "'") quote = sign;
    else if ('([<{'.includes(sign)) depth++;
    else if (')]}'.includes(sign) || (sign === '>' && text[i - 1] !== '-')) depth--;
    else if (sign === ',' && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts.filter(Boolean);
}

/** Returns a schema type as a TypeScript type. `result` is true for a type that an operator returns. */
function typescript(type, result = false) {
  const plain = type.replace(/\([a-z0-9!|*\s>-]+\)/g, '').replace(result ? /\s+\w+$/ : /$^/, '');
  if (plain.startsWith('('))
    return `[${split(plain.slice(1, -1))
      .map((part) => typescript(part, result))
      .join(', ')}]`;
  if (plain.endsWith('?')) return `${typescript(plain.slice(0, -1), result)} | null`;
  const list = /^(.*)\[(\d*)\]$/.exec(plain);
  if (list) {
    const element = typescript(list[1], result);
    const array = /[ |]/.test(element) ? `(${element})[]` : `${element}[]`;
    if (result) return array;
    const several = { 'number | bigint': 'Ints', number: 'Floats' }[element] ?? `readonly ${array}`;
    return list[2] ? `${element} | ${several}` : several;
  }
  const known = scalarTypes[plain] ?? 'unknown';
  return result && known === 'number | bigint' ? 'number' : known;
}

const fail = (message) => {
  throw new Error(message);
};

const reserved = new Set(['default', 'in', 'function', 'var', 'new', 'this', 'with', 'arguments']);
const identifier = (name) => (reserved.has(name) ? `${name}_` : name);

function parse(schema) {
  if (schema.includes('...')) return undefined;
  const [, namespace, name, overload = '', parameters, returns] =
    /^(\w+)::([\w]+)(?:\.(\w+))?\((.*)\) -> (.*)$/s.exec(schema) ?? [];
  if (!namespace) return undefined;
  let keywordOnly = false;
  const args = [];
  for (const part of split(parameters)) {
    if (part === '*') {
      keywordOnly = true;
      continue;
    }
    const [, type, argument, value] =
      /^(.*?)\s+(\w+)(?:=(.*))?$/s.exec(part) ?? fail(`cannot read "${part}" in ${schema}`);
    // One schema of libtorch has two parameters with the same name.
    const unique = args.some((arg) => arg.name === argument) ? `${argument}${args.length}` : argument;
    args.push({ type: typescript(type), name: unique, optional: value !== undefined, keywordOnly });
  }
  const inPlace = /^Tensor\([a-z]!\)$/.test(returns) && name.endsWith('_');
  return {
    schema,
    namespace,
    name,
    overload,
    args,
    inPlace,
    result: returns === '()' ? 'void' : typescript(returns, true),
  };
}

/**
 * Returns the parameter lists of an overload: one with all parameters by position, one with the optional ones by name,
 * and one with all by name except a tensor in front.
 */
function signatures(args) {
  const positional = args.filter((arg) => !arg.keywordOnly);
  const keywords = args.filter((arg) => arg.keywordOnly);
  const mustName = keywords.some((arg) => !arg.optional);
  const one = (arg) => `${identifier(arg.name)}${arg.optional && !mustName ? '?' : ''}: ${arg.type}`;
  const object = (list) => list.map((arg) => `${arg.name}${arg.optional ? '?' : ''}: ${arg.type}`).join('; ');
  const named = (list, mark = '') => (list.length > 0 ? [`options${mark}: { ${object(list)} }`] : []);

  const lists = [[...positional.map(one), ...named(keywords, mustName ? '' : '?')]];
  const required = positional.filter((arg) => !arg.optional);
  const byName = (front) => lists.push([...front.map(one), ...named(args.filter((arg) => !front.includes(arg)))]);
  if (required.length < positional.length) byName(required);
  const front = required.slice(0, args[0]?.name === 'self' ? 1 : 0);
  if (required.length > front.length) byName(front);
  return lists.map((list) => list.join(', '));
}

function declarations(operators, method) {
  const lines = [];
  for (const { name, args, result, schema } of operators) {
    lines.push(`  /** \`${schema.replaceAll('*/', '* /')}\` */`);
    for (const list of signatures(method ? args.slice(1) : args)) lines.push(`  ${name}(${list}): ${result};`);
  }
  return lines.join('\n');
}

/** The methods that src/torch/tensor.ts writes itself. */
const own = [
  'data',
  'to',
  'item',
  'backward',
  'grad',
  'shape',
  'dtype',
  'device',
  'bytes',
  'dispose',
  'handle',
  'strides',
  'toString',
];

const isDimname = ({ overload }) => /dimname|names/i.test(overload);

/**
 * Returns the libtorch that the addon was built on and its operators.
 * @returns undefined when `file` comes from another libtorch than the addon, so that it cannot be checked
 */
function readOperators({ root, check, file }) {
  const addon = require(join(root, 'build/Release/cleanclip.node'));
  const version = addon.libtorchVersion();
  const [, from] = /libtorch ([\d.]+);/.exec(check ? readFileSync(join(root, file), 'utf8') : '') ?? [];
  if (check && from !== version) {
    console.log(`${file} is of libtorch ${from} and the addon was built on ${version}: nothing to check.`);
    return undefined;
  }
  const operators = addon
    .operatorSchemas()
    .map(parse)
    .filter((op) => op && !isDimname(op));
  return { version, operators };
}

/** Returns the name and the text of the file of types; no text when it cannot be checked. */
export function operatorTypes({ root, check }) {
  const file = 'src/torch/operators.gen.ts';
  const read = readOperators({ root, check, file });
  if (!read) return { file };
  const { version, operators } = read;
  const aten = operators.filter((op) => op.namespace === 'aten');
  const methods = aten.filter((op) => op.args[0]?.type === 'Tensor' && !op.args[0].keywordOnly);
  const namespaces = [...new Set(operators.map((op) => op.namespace))].sort();
  return { file, text: declarationsOf({ version, methods, namespaces, operators }) };
}

/** Returns the name and the text of the file of names; no text when it cannot be checked. */
export function operatorNames({ root, check }) {
  const file = 'src/torch/operator_names.gen.ts';
  const read = readOperators({ root, check, file });
  if (!read) return { file };
  const { version, operators } = read;
  const names = [...new Set(operators.map(({ namespace, name }) => `${namespace}::${name}`))].sort();
  const text = `// Generated by scripts/generate.mjs from the operator schemas of libtorch ${version}; do not edit.
/* eslint-disable */

/** @internal The libtorch whose operators are typed in operators.gen.ts. */
export const typesVersion: string = '${version}';

/** @internal Their qualified names, a line each. */
export const typedOperators = \`\\
${names.join('\n')}\`;
`;
  return { file, text };
}

const declarationsOf = ({
  version,
  methods,
  namespaces,
  operators,
}) => `// Generated by scripts/generate.mjs from the operator schemas of libtorch ${version}; do not edit.
// Each operator's doc is its schema.
/* eslint-disable */
import type { DType } from './dtype';
import type { Generator } from './generator';
import type { Tensor } from './tensor';

/** A number as an operator takes it: an integer, or a float. */
export type Scalar = number | bigint | boolean;
/** A list of integers, as sizes and dimensions. */
export type Ints = readonly (number | bigint)[] | Int32Array | BigInt64Array;
/** A list of floats. */
export type Floats = readonly number[] | Float32Array | Float64Array;
/** A complex number. */
export type Complex = { re: number; im: number };
/** How a tensor lies in memory (\`torch.layout\`). */
export type Layout = 'strided' | 'sparse_coo' | 'sparse_csr';
/** The order of a tensor's dimensions in memory (\`torch.memory_format\`). */
export type MemoryFormat = 'contiguous_format' | 'preserve_format' | 'channels_last' | 'channels_last_3d';

/** The operators of libtorch ${version} that take a tensor first, as methods. */
export interface TensorMethods {
${declarations(
  methods.filter((op) => !own.includes(op.name)),
  true,
)}
}

${namespaces
  .map(
    (name) => `/** \`torch.ops.${name}\` of libtorch ${version} */
export interface ${name}Operators {
${declarations(
  operators.filter((op) => op.namespace === name),
  false,
)}
}
`,
  )
  .join('\n')}
/** Every ATen operator of libtorch ${version} as a function of \`torch\`. */
export type TorchFunctions = atenOperators;

/** \`torch.ops\` of libtorch ${version} */
export interface Namespaces {
${namespaces.map((name) => `  ${name}: ${name}Operators;`).join('\n')}
}
`;
