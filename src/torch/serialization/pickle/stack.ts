import { Fault } from '../fault';
import { damaged } from './source';

/**
 * The most values, collections and tensors among them, and references to them. Checkpoints hold fewer. A pickle at
 * these limits takes two seconds and some hundred MB.
 */
const maxValues = 2 ** 21;
const maxObjects = 2 ** 19;
const maxReferences = 2 ** 20;

/**
 * The stack of an unpickling machine, with its marks and its memo. The memo holds the values that the pickle refers to
 * by number.
 */
export class ValueStack {
  private values = 0;
  private objects = 0;
  private readonly stack: unknown[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, unknown>();

  /** Pushes a value. */
  push(value: unknown): void {
    if (++this.values > maxValues) throw new Fault(`holds more than ${maxValues} values`);
    this.stack.push(value);
  }

  /** Pushes a collection, a tensor or another object. */
  pushObject(value: unknown): void {
    if (++this.objects > maxObjects) throw new Fault(`holds more than ${maxObjects} collections and tensors`);
    this.push(value);
  }

  /**
   * Returns the last value above the last mark.
   * @throws Fault when there is none
   */
  top(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw damaged('fewer values than it uses');
    return this.stack.at(-1);
  }

  /** Takes the last value off the stack. */
  pop(): unknown {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  /** Takes the last `count` values off the stack, in their order. */
  popMany(count: number): unknown[] {
    if (this.stack.length - count < (this.marks.at(-1) ?? 0)) throw damaged('fewer values than it uses');
    return this.stack.splice(-count);
  }

  /** Sets a mark on the stack. */
  mark(): void {
    if (this.marks.push(this.stack.length) > maxObjects)
      throw new Fault(`begins more than ${maxObjects} collections at once`);
  }

  /** Takes the last mark and the values above it off the stack. */
  popToMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw damaged('a mark that is missing');
    return this.stack.splice(mark);
  }

  /** Drops the last value, or the last mark when no value lies on it. */
  discard(): void {
    if (this.marks.at(-1) === this.stack.length) this.marks.pop();
    else this.pop();
  }

  /** Pushes the value with this number in the memo. */
  recall(index: number): void {
    if (!this.memo.has(index)) throw damaged(`a reference to value ${index}, which does not exist`);
    this.push(this.memo.get(index));
  }

  /**
   * Copies the top value into the memo.
   * @param index its number in the memo; default: the next free one
   */
  remember(index = this.memo.size): void {
    this.memo.set(index, this.top());
    if (this.memo.size > maxReferences) throw new Fault(`numbers more than ${maxReferences} values`);
  }
}
