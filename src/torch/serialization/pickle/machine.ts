import { PyTuple } from '../../python_values';
import { Fault } from '../fault';
import { Dict, Handle, KnownFunction, Stateful } from '../handles';
import { Inert, UnknownGlobal } from './inert';
import { damaged, type PickleBytes } from './source';
import type { ValueStack } from './stack';

/** Gives a meaning to the names and the persistent ids of a pickle. */
export interface PickleWorld {
  /** Returns the value of `module.name`, or throws a Fault. */
  global(name: string): unknown;
  /** Returns the value of a persistent id. */
  persistent(id: unknown): unknown;
  /** Is told the arguments of each call of an unknown function. */
  called?(args: unknown): void;
  /**
   * When true, bytes and the long byte strings of Python 2 are views of the pickle. When false, bytes are copied and
   * those strings become JS strings. Default false.
   */
  readonly views?: boolean;
}

/** The state that the opcodes of a pickle work on. */
export interface PickleMachine {
  readonly bytes: PickleBytes;
  readonly stack: ValueStack;
  readonly world: PickleWorld;
}

/**
 * Checks that torch writes this pickle protocol.
 * @throws Fault for a protocol other than 2 to 5
 */
export function checkProtocol(version: number): void {
  if (version < 2 || version > 5) throw new Fault(`uses pickle protocol ${version}, but torch writes 2 to 5`);
}

/** Takes the next `size` bytes of the pickle, as a view of it or as a copy. */
export const content = ({ bytes, world }: PickleMachine, size: number): Uint8Array =>
  world.views ? bytes.take(size) : new Uint8Array(bytes.take(size));

/** Pushes the global that the module and the name on the stack refer to. */
export function pushGlobal({ stack, world }: PickleMachine): void {
  const [module, name] = stack.popMany(2);
  if (typeof module !== 'string' || typeof name !== 'string') throw damaged('a global without a name');
  stack.push(world.global(`${module}.${name}`));
}

/**
 * Calls the callable on the stack with its arguments, and pushes the result. An unknown callable is not called: an
 * {@link Inert} records the call.
 * @param runs whether Python may run a function with the arguments, and not only make an object of a class
 * @throws Fault when the callee is anything but a known function or an unknown global
 */
export function call({ stack, world }: PickleMachine, runs: boolean): void {
  const [callee, args] = stack.popMany(2);
  if (callee instanceof UnknownGlobal || callee instanceof Inert) {
    if (!(args instanceof PyTuple)) throw damaged(`arguments of ${callee.name} that are not a tuple`);
    if (runs) world.called?.(args);
    return stack.pushObject(new Inert(callee.name, args));
  }
  if (!(callee instanceof KnownFunction)) {
    throw new Fault(
      `calls ${callee instanceof Handle ? callee.name : 'a value'}, but a checkpoint may only make tensors ` +
        'and plain values',
    );
  }
  if (!(args instanceof PyTuple)) throw damaged(`arguments of ${callee.name} that are not a tuple`);
  stack.pushObject(callee.call(args));
}

/** Makes an object of a class that takes keyword arguments. No known class does, so the object is an {@link Inert}. */
export function makeWithKeywords({ stack }: PickleMachine): void {
  const [type, args, keywords] = stack.popMany(3);
  if (!(type instanceof UnknownGlobal) || !Array.isArray(args))
    throw damaged('an object that is made in an unknown way');
  stack.pushObject(new Inert(type.name, [...(args as unknown[]), keywords]));
}

/** Sets the attributes of an object. Those of an OrderedDict (`_metadata` of torch) are dropped. */
export function setState({ stack }: PickleMachine): void {
  const state = stack.pop();
  const target = stack.top();
  if (target instanceof Stateful) target.setState(state);
  else if (!(target instanceof Dict && target.ordered)) {
    throw new Fault('gives attributes to a value that has none; a checkpoint holds only tensors and plain values');
  }
}

/** Appends items to the list on the stack. */
export function appendItems({ stack }: PickleMachine, items: readonly unknown[]): void {
  const list = itemsOf(stack.top());
  if (!Array.isArray(list) || list instanceof PyTuple) throw damaged('an item without its list');
  appendAll(list, items);
}

/** Sets entries of the dict on the stack. */
export function setEntries({ stack }: PickleMachine, items: readonly unknown[]): void {
  const dict = stack.top();
  if (dict instanceof Inert) return appendAll(dict.entries, items);
  if (!(dict instanceof Dict) || items.length % 2 !== 0) throw damaged('an entry without its dict');
  for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
}

/** Adds items to the set on the stack. */
export function addItems({ stack }: PickleMachine, items: readonly unknown[]): void {
  const set = stack.top();
  if (set instanceof Inert) return appendAll(set.items, items);
  if (!(set instanceof Set)) throw damaged('an item without its set');
  for (const item of items) set.add(item);
}

/** Makes a tuple of values. It is faster than PyTuple.from. */
export function tupleOf(items: readonly unknown[]): PyTuple {
  const tuple = new PyTuple();
  appendAll(tuple, items);
  return tuple;
}

const itemsOf = (value: unknown): unknown => (value instanceof Inert ? value.items : value);

function appendAll(list: unknown[], items: readonly unknown[]): void {
  for (const item of items) list.push(item);
}
