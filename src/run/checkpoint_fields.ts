import { CleanclipError } from '../errors';
import { Tensor } from '../torch';
import type { GradScalerState } from '../torch/grad_scaler';
import { optimizerFault, type OptimizerState } from '../torch/optim';
import { PyFloat } from '../torch/python_values';
import type { LoopState, Order } from './state';

/** What a checkpoint holds beside the weights, checked. */
export interface Fields extends LoopState {
  optimizer: OptimizerState | undefined;
  scaler?: GradScalerState;
  order?: Order;
  /** what was there and cannot be taken, each as a sentence */
  untaken: string[];
}

/**
 * Reads where a run stood, and the state of what trained it.
 * @param content what `torch.load` gave, an object
 * @param path the file, for messages
 * @throws CleanclipError `ERR_CHECKPOINT` for an epoch, batch or step that is none
 */
export function fieldsOf(content: Record<string, unknown>, path: string): Fields {
  const untaken: string[] = [];
  const part = <T>(name: string, faultOf: (value: unknown) => string | undefined): T | undefined => {
    const value = content[name];
    if (value === undefined || value === null) return undefined;
    const fault = faultOf(value);
    if (fault === undefined) return value as T;
    untaken.push(`The ${name} of '${path}' is not taken: ${fault}.`);
    return undefined;
  };
  const count = (name: keyof LoopState): number => countIn(content[name], name, path);
  return {
    epoch: count('epoch'),
    batch: count('batch'),
    step: count('step'),
    optimizer: part('optimizer', optimizerFault),
    scaler: part('scaler', scalerFault),
    order: part('order', orderFault),
    untaken,
  };
}

/** More epochs, batches or steps than any run has. */
const most = 2 ** 40;

/** A count as Python or this library has written it: a number or a tensor of one; 0 where there is none. */
function countIn(value: unknown, name: string, path: string): number {
  if (value === undefined || value === null) return 0;
  const number = numberIn(value);
  if (number !== undefined && Number.isInteger(number) && number >= 0 && number <= most) return number;
  const came = number ?? (typeof value === 'string' ? `'${value.slice(0, 50)}'` : `a value of another kind`);
  throw new CleanclipError(
    `The checkpoint '${path}' has ${String(came)} as its ${name}, where a whole number from 0 belongs; save it ` +
      'again with one.',
    'ERR_CHECKPOINT',
  );
}

function numberIn(value: unknown): number | undefined {
  if (value instanceof PyFloat) return value.value;
  if (value instanceof Tensor)
    return value.numel() === 1 && !value.dtype.startsWith('complex') ? Number(value.item()) : undefined;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An empty state is that of a scaler that was switched off. */
function scalerFault(value: unknown): string | undefined {
  if (isObject(value) && Object.keys(value).length === 0) return undefined;
  const names = ['scale', 'growth_factor', 'backoff_factor', 'growth_interval', '_growth_tracker'];
  const fits =
    isObject(value) && names.every((name) => Number.isFinite(numberIn(value[name])) && numberIn(value[name])! >= 0);
  return fits ? undefined : 'it is no state of torch.amp.GradScaler';
}

function orderFault(value: unknown): string | undefined {
  const fits = isObject(value) && ['examples', 'batchSize', 'seed'].every((name) => Number.isSafeInteger(value[name]));
  return fits ? undefined : 'it does not say rows, batch size and seed';
}
