import { CleanclipError } from '../errors';

/**
 * @internal Copies a typed array to an array, the form in which the addon takes a list of numbers.
 * @throws CleanclipError `ERR_TORCH` for a longer one, a DataView, and one whose memory is gone
 */
export function elementsOf(view: ArrayBufferView): (number | bigint)[] {
  const { length } = view as unknown as ArrayLike<number | bigint>;
  if (!(length <= 2 ** 20)) {
    throw new CleanclipError(
      `A list is an array or a typed array of at most 1,048,576 elements, but a ${view.constructor.name} came.`,
      'ERR_TORCH',
    );
  }
  try {
    return Array.from(view as unknown as ArrayLike<number | bigint>);
  } catch {
    throw new CleanclipError(
      `A ${view.constructor.name} has lost its memory: its buffer was transferred or made shorter.`,
      'ERR_TORCH',
    );
  }
}
