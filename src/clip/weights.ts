import { CleanclipError } from '../errors';
import { type Tensor, torch } from '../torch';
import { isTensor, type StateDict, underOpenAiNames } from './state_dict';

/** The most names that an error lists. */
const LISTED = 10;

const isCounter = (name: string): boolean => name.endsWith('.num_batches_tracked');

/**
 * Copies a state dict into the tensors of a model, whatever its names ({@link underOpenAiNames}), dtype and device.
 * Counters of batch norms may be missing, as in files of torch before 0.4.1; they become 0.
 * @param own the tensors of the model
 * @param given the state dict
 * @throws CleanclipError `ERR_CHECKPOINT` with up to ten names that are missing, unexpected or of another shape;
 * nothing is copied then
 */
export function copyStateDict(own: StateDict, given: Record<string, unknown>): void {
  const source = underOpenAiNames(given, 'The state dict') as StateDict;
  const faults = [...faultsOf(own, source)];
  if (faults.length > 0) {
    const rest = faults.length > LISTED ? `; and ${faults.length - LISTED} more` : '';
    throw new CleanclipError(
      `The state dict does not fit the model: ${faults.slice(0, LISTED).join('; ')}${rest}. Load a checkpoint ` +
        'of the same architecture.',
      'ERR_CHECKPOINT',
    );
  }
  torch.noGrad(() => {
    for (const [name, tensor] of Object.entries(own)) {
      if (Object.hasOwn(source, name)) tensor.copy_(source[name]);
      else tensor.zero_();
    }
  });
}

function* faultsOf(own: StateDict, source: StateDict): Generator<string> {
  const shape = (tensor: Tensor): string => `[${tensor.shape.join(', ')}]`;
  for (const [name, tensor] of Object.entries(own)) {
    const other = source[name];
    if (!Object.hasOwn(source, name)) {
      if (!isCounter(name)) yield `${name} ${shape(tensor)} is missing`;
    } else if (!isTensor(other)) yield `${name} is not a tensor`;
    else if (shape(other) !== shape(tensor)) yield `${name} is ${shape(other)}, and the model's is ${shape(tensor)}`;
  }
  for (const [name, tensor] of Object.entries(source)) {
    if (!Object.hasOwn(own, name)) yield `${name}${isTensor(tensor) ? ` ${shape(tensor)}` : ''} is unexpected`;
  }
}

export type { StateDict } from './state_dict';
