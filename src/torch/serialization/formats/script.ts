import { defineEntry, OrderedDict } from '../../python_values';
import { Fault, maxDepth, shown } from '../fault';
import { Dict, KnownFunction, ScriptObject } from '../handles';
import type { TensorMaker } from '../tensor_record';

/** The longest name of a module, in characters. torch writes none that is longer. */
const maxName = 1000;

/**
 * Gives a meaning to names of a TorchScript archive that {@link knownGlobals} lacks: the archive's own classes, and
 * functions that only tell a list its type. Returns undefined for other names.
 */
export function scriptGlobal(name: string): unknown {
  if (name.startsWith('__torch__.')) return new KnownFunction(name, () => new ScriptObject(name));
  if (!/^torch\.jit\._pickle\.(build_\w+list|restore_type_tag)$/.test(name)) return undefined;
  return new KnownFunction(name, ([value]) => value);
}

/**
 * Collects the parameters and buffers of a scripted or traced module and of the modules in it, by dotted names. Tensors
 * that are plain attributes are left out, as in `state_dict()`.
 *
 * @param module the value of the archive's pickle
 * @param tensors tells which values are tensors
 * @param sourceOf returns the TorchScript source of a file below `code/`, which lists each class's parameters and
 * buffers; it is read, never run
 * @param spend is told how many modules and tensors were visited; modules that are referred to many times could
 * otherwise fill any memory
 */
export function scriptStateDict(
  module: unknown,
  tensors: TensorMaker,
  sourceOf: (file: string) => string,
  spend: (amount: number) => void,
): OrderedDict {
  if (!(module instanceof ScriptObject)) throw new Fault('is a TorchScript archive without a module');
  const result = new OrderedDict();
  const classes = new ModuleClasses(sourceOf);

  const collect = ({ name: className, state }: ScriptObject, prefix: string, depth: number): void => {
    const own = classes.tensorsOf(className);
    if (own === undefined || !(state instanceof Dict)) return;
    if (depth > maxDepth || prefix.length > maxName) {
      throw new Fault(`nests modules more than ${maxDepth} deep, or under names of more than ${maxName} characters`);
    }
    for (const [key, value] of state) {
      spend(1);
      if (typeof key !== 'string') throw new Fault('is damaged: it has an attribute without a name');
      if (tensors.isTensor(value) && own.has(key)) defineEntry(result, prefix + key, value);
      else if (value instanceof ScriptObject) collect(value, `${prefix}${key}.`, depth + 1);
    }
  };
  collect(module, '', 0);
  return result;
}

/** The names of a module's own parameters and buffers. */
type TensorNames = Pick<ReadonlySet<string>, 'has'>;

const anyName: TensorNames = { has: () => true };

/** The classes that an archive's source defines. */
class ModuleClasses {
  readonly #files = new Map<string, Map<string, TensorNames>>();

  constructor(private readonly sourceOf: (file: string) => string) {}

  /** Returns the tensor names of a class, or undefined for a class that is not a module. */
  tensorsOf(className: string): TensorNames | undefined {
    const dot = className.lastIndexOf('.');
    const file = `${className.slice(0, dot).replaceAll('.', '/')}.py`;
    let classes = this.#files.get(file);
    if (!classes) this.#files.set(file, (classes = modulesIn(this.sourceOf(file))));
    if (classes.size === 0)
      throw new Fault(`is damaged: it lacks the source of ${shown(className)}, which says what is a parameter`);
    return classes.get(className.slice(dot + 1));
  }
}

/** Finds the modules that a source file defines. Older archives list no buffers, so any tensor may be one there. */
function modulesIn(source: string): Map<string, TensorNames> {
  const [, ...classes] = source.split(/^class /m);
  return new Map(
    classes.flatMap((body): [string, TensorNames][] => {
      const name = /^(\w+)\(Module\):/.exec(body)?.[1];
      if (name === undefined) return [];
      const [parameters, buffers] = ['parameters', 'buffers'].map(
        (kind) => new RegExp(`^ *__${kind}__ = \\[(.*)\\]`, 'm').exec(body)?.[1],
      );
      if (buffers === undefined) return [[name, anyName]];
      return [[name, new Set(Array.from(`${parameters}${buffers}`.matchAll(/"([^"]*)"/g), ([, quoted]) => quoted))]];
    }),
  );
}
