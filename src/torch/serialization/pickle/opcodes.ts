import { PyTuple } from '../../python_values';
import { Dict } from '../handles';
import { longToNumber } from './integers';
import type { PickleMachine } from './machine';
import * as machine from './machine';

/** The action of an opcode. */
type Step = (on: PickleMachine) => unknown;

/**
 * The opcodes of protocols 2 to 5 that a checkpoint of tensors and plain values needs. STOP, which ends the pickle, is
 * not among them. Source: the pickletools of CPython, which documents every opcode.
 */
const STEPS: Readonly<Record<number, Step>> = {
  0x80: ({ bytes }) => machine.checkProtocol(bytes.byte()), // PROTO
  0x95: ({ bytes }) => bytes.take(8), // FRAME
  0x4e: ({ stack }) => stack.push(null), // NONE
  0x88: ({ stack }) => stack.push(true), // NEWTRUE
  0x89: ({ stack }) => stack.push(false), // NEWFALSE

  0x4b: ({ bytes, stack }) => stack.push(bytes.byte()), // BININT1
  0x4d: ({ bytes, stack }) => stack.push(bytes.take(2).readUInt16LE()), // BININT2
  0x4a: ({ bytes, stack }) => stack.push(bytes.take(4).readInt32LE()), // BININT
  0x8a: ({ bytes, stack }) => stack.push(longToNumber(bytes.take(bytes.byte()))), // LONG1
  0x8b: ({ bytes, stack }) => stack.push(longToNumber(bytes.take(bytes.uint32()))), // LONG4
  0x47: ({ bytes, stack }) => stack.push(bytes.take(8).readDoubleBE()), // BINFLOAT

  0x8c: ({ bytes, stack }) => stack.push(bytes.text(bytes.byte())), // SHORT_BINUNICODE
  0x55: ({ bytes, stack }) => stack.push(bytes.text(bytes.byte())), // SHORT_BINSTRING
  0x58: ({ bytes, stack }) => stack.push(bytes.text(bytes.uint32())), // BINUNICODE
  0x54: ({ bytes, stack, world }) => stack.push(bytes[world.views ? 'take' : 'text'](bytes.uint32())), // BINSTRING
  0x8d: ({ bytes, stack }) => stack.push(bytes.text(bytes.uint64())), // BINUNICODE8
  0x43: (on) => on.stack.pushObject(machine.content(on, on.bytes.byte())), // SHORT_BINBYTES
  0x42: (on) => on.stack.pushObject(machine.content(on, on.bytes.uint32())), // BINBYTES
  0x8e: (on) => on.stack.pushObject(machine.content(on, on.bytes.uint64())), // BINBYTES8
  0x96: (on) => on.stack.pushObject(machine.content(on, on.bytes.uint64())), // BYTEARRAY8

  0x28: ({ stack }) => stack.mark(), // MARK
  0x30: ({ stack }) => stack.discard(), // POP
  0x31: ({ stack }) => stack.popToMark(), // POP_MARK
  0x5d: ({ stack }) => stack.pushObject([]), // EMPTY_LIST
  0x29: ({ stack }) => stack.pushObject(new PyTuple()), // EMPTY_TUPLE
  0x7d: ({ stack }) => stack.pushObject(new Dict(false)), // EMPTY_DICT
  0x8f: ({ stack }) => stack.pushObject(new Set()), // EMPTY_SET
  0x61: (on) => machine.appendItems(on, [on.stack.pop()]), // APPEND
  0x65: (on) => machine.appendItems(on, on.stack.popToMark()), // APPENDS
  0x73: (on) => machine.setEntries(on, on.stack.popMany(2)), // SETITEM
  0x75: (on) => machine.setEntries(on, on.stack.popToMark()), // SETITEMS
  0x90: (on) => machine.addItems(on, on.stack.popToMark()), // ADDITEMS
  0x91: ({ stack }) => stack.pushObject(new Set(stack.popToMark())), // FROZENSET
  0x74: ({ stack }) => stack.pushObject(machine.tupleOf(stack.popToMark())), // TUPLE
  0x85: ({ stack }) => stack.pushObject(machine.tupleOf(stack.popMany(1))), // TUPLE1
  0x86: ({ stack }) => stack.pushObject(machine.tupleOf(stack.popMany(2))), // TUPLE2
  0x87: ({ stack }) => stack.pushObject(machine.tupleOf(stack.popMany(3))), // TUPLE3

  0x68: ({ bytes, stack }) => stack.recall(bytes.byte()), // BINGET
  0x6a: ({ bytes, stack }) => stack.recall(bytes.uint32()), // LONG_BINGET
  0x71: ({ bytes, stack }) => stack.remember(bytes.byte()), // BINPUT
  0x72: ({ bytes, stack }) => stack.remember(bytes.uint32()), // LONG_BINPUT
  0x94: ({ stack }) => stack.remember(), // MEMOIZE

  0x63: ({ bytes, stack, world }) => stack.push(world.global(`${bytes.line()}.${bytes.line()}`)), // GLOBAL
  0x93: machine.pushGlobal, // STACK_GLOBAL
  0x52: (on) => machine.call(on, true), // REDUCE
  0x81: (on) => machine.call(on, false), // NEWOBJ
  0x92: machine.makeWithKeywords, // NEWOBJ_EX
  0x62: machine.setState, // BUILD
  0x51: ({ stack, world }) => stack.push(world.persistent(stack.pop())), // BINPERSID
};

/**
 * The action of each opcode, by number. It is undefined for opcodes that no checkpoint of tensors and plain values
 * needs.
 */
export const steps: readonly (Step | undefined)[] = Array.from({ length: 256 }, (_, opcode) => STEPS[opcode]);

/** The opcode that ends a pickle. The value is then the last on the stack. */
export const STOP = 0x2e;
