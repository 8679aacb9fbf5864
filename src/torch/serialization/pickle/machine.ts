import { PyTuple } from '../../python_values';
import { Fault } from '../fault';
import { Dict, Handle, KnownFunction, Stateful } from '../handles';
import { Inert, UnknownGlobal } from './inert';
import { damaged, type PickleBytes } from './source';
import type { ValueStack } from './stack';

/** What a pickle may refer to by name, and what its persistent ids mean. */
export interface PickleWorld {
  /** The value of `module.name`, or a Fault. */
  global(name: string): unknown;
  /** The value of a persistent id. */
  persistent(id: unknown): unknown;
  /** Is told of a call of a function that is not known, and what it was called with. */
  called?(args: unknown): void;
  /** Bytes, and the long byte strings of Python 2, are views of the pickle; else bytes are copies, and strings text. */
  readonly views?: boolean;
}

/** What the opcodes of a pickle work on. */
export interface PickleMachine {
  readonly bytes: PickleBytes;
  readonly stack: ValueStack;
  readonly world: PickleWorld;
}

/** Throws a {@link Fault} unless torch writes this protocol of pickle. */
export function checkProtocol(version: number): void {
  if (version < 2 || version > 5) throw new Fault(`uses pickle protocol ${version}, but torch writes 2 to 5`);
}

/** Bytes of the pickle: a view of it, or a copy. */
export const content = ({ bytes, world }: PickleMachine, size: number): Uint8Array =>
  world.views ? bytes.take(size) : new Uint8Array(bytes.take(size));

/** Pushes the value of a module and a name that are on the stack. */
export function pushGlobal({ stack, world }: PickleMachine): void {
  const [module, name] = stack.popMany(2);
  if (typeof module !== 'string' || typeof name !== 'string') throw damaged('a global without a name');
  stack.push(world.global(`${module}.${name}`));
}

/**
 * Calls what is on the stack with its arguments.
 * @param runs whether Python may run a function with the arguments, and not merely make an object of a class
 */
export function call({ stack, world }: PickleMachine, runs: boolean): void {
  const [callee, args] = stack.popMany(2);
  if (callee instanceof UnknownGlobal || callee instanceof Inert) {
    if (!(args instanceof PyTuple)) throw damaged(`arguments of ${callee.name} that are no tuple`);
    if (runs) world.called?.(args);
    return stack.pushObject(new Inert(callee.name, args));
  }
  if (!(callee instanceof KnownFunction)) {
    throw new Fault(
      `calls ${callee instanceof Handle ? callee.name : 'a value'}, but a checkpoint may only make tensors ` +
        'and plain values',
    );
  }
  if (!(args instanceof PyTuple)) throw damaged(`arguments of ${callee.name} that are no tuple`);
  stack.pushObject(callee.call(args));
}

/** Makes an object of a class that takes keywords, which none that is known does. */
export function makeWithKeywords({ stack }: PickleMachine): void {
  const [type, args, keywords] = stack.popMany(3);
  if (!(type instanceof UnknownGlobal) || !Array.isArray(args))
    throw damaged('an object that is made in an unknown way');
  stack.pushObject(new Inert(type.name, [...(args as unknown[]), keywords]));
}

/** Gives an object its attributes; those of an OrderedDict (torch's `_metadata`) are dropped. */
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

/** A tuple of values, made faster than by PyTuple.from. */
export function tupleOf(items: readonly unknown[]): PyTuple {
  const tuple = new PyTuple();
  appendAll(tuple, items);
  return tuple;
}

const itemsOf = (value: unknown): unknown => (value instanceof Inert ? value.items : value);

function appendAll(list: unknown[], items: readonly unknown[]): void {
  for (const item of items) list.push(item);
}
