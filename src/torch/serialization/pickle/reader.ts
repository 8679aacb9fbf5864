import { Fault } from '../fault';
import type { PickleMachine, PickleWorld } from './machine';
import { steps, STOP } from './opcodes';
import { PickleBytes, type PickleSource } from './source';
import { ValueStack } from './stack';

/** Checkpoints take fewer steps; so many take two seconds. */
const maxSteps = 2 ** 24;

/**
 * Runs a pickle (protocols 2–5) as a machine that knows values only: it builds lists, tuples, dicts, sets, numbers and
 * texts, and calls nothing but the {@link KnownFunction}s that `world` hands out. Work and memory stay in proportion to
 * the pickle's size.
 */
export class PickleReader {
  private readonly machine: PickleMachine;

  /** @param start where in `pickle` it begins */
  constructor(pickle: PickleSource, world: PickleWorld, start = 0) {
    this.machine = { bytes: new PickleBytes(pickle, start), stack: new ValueStack(), world };
  }

  /** Where the bytes end that were read so far. */
  get end(): number {
    return this.machine.bytes.end;
  }

  /** The pickled value, with dicts as {@link Dict}. */
  read(): unknown {
    const { bytes, stack } = this.machine;
    for (let count = 0; count < maxSteps; count++) {
      const opcode = bytes.byte();
      if (opcode === STOP) return stack.pop();
      const step = steps[opcode];
      if (step === undefined) throw unknownOpcode(opcode);
      step(this.machine);
    }
    throw new Fault(`takes more than ${maxSteps} steps to unpickle`);
  }
}

const unknownOpcode = (opcode: number): Fault =>
  new Fault(
    `uses the pickle opcode 0x${opcode.toString(16).padStart(2, '0')}, which no checkpoint of tensors and ` +
      'plain values needs',
  );
