import { Fault } from '../fault';
import type { PickleMachine, PickleWorld } from './machine';
import { steps, STOP } from './opcodes';
import { PickleBytes, type PickleSource } from './source';
import { ValueStack } from './stack';

/** The most steps to run, far more than checkpoints take. This many take two seconds. */
const maxSteps = 2 ** 24;

/**
 * Runs a pickle (protocols 2–5) on a machine that only handles values. It builds lists, tuples, dicts, sets, numbers
 * and strings, and calls only the {@link KnownFunction}s that `world` provides. Work and memory stay in proportion to
 * the size of the pickle.
 */
export class PickleReader {
  private readonly machine: PickleMachine;

  /**
   * @param pickle the bytes
   * @param world gives a meaning to its names
   * @param start offset in `pickle` where the value begins; default 0
   */
  constructor(pickle: PickleSource, world: PickleWorld, start = 0) {
    this.machine = { bytes: new PickleBytes(pickle, start), stack: new ValueStack(), world };
  }

  /** The offset of the first byte not yet read. */
  get end(): number {
    return this.machine.bytes.end;
  }

  /**
   * Unpickles the value; dicts are {@link Dict}s.
   * @throws Fault when the pickle is damaged or holds what a checkpoint has no need of
   */
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
