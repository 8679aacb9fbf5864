import { CleanclipError } from '../errors';
import { isInteger } from '../integers';
import { Tensor } from '../torch';
import type { GradScalerState } from '../torch/grad_scaler';
import { optimizerFault, type OptimizerState } from '../torch/optim';
import { PyFloat } from '../torch/python_values';
import type { LoopState, Order } from './state';

/** The checked contents of a checkpoint beside the weights. */
export interface Fields extends LoopState {
  optimizer: OptimizerState | undefined;
  scaler?: GradScalerState;
  order?: Order;
  /** a sentence for each part that was there but cannot be used */
  untaken: string[];
}

/**
 * Reads how far a run was, and the state of what trained it.
 * @param content what `torch.load` returned, an object
 * @param path the file, for messages
 * @throws CleanclipError `ERR_CHECKPOINT` for an epoch, batch or step that is not an integer from 0
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

/** The largest epoch, batch or step accepted, more than any run has. */
const most = 2 ** 40;

/**
 * Reads a count as Python or this library has written it: a number, or a tensor of one element. It is 0 when it is
 * absent.
 */
function countIn(value: unknown, name: string, path: string): number {
  if (value === undefined || value === null) return 0;
  const number = numberIn(value);
  if (isInteger(number, 0, most)) return number;
  const came = number ?? (typeof value === 'string' ? `'${value.slice(0, 50)}'` : `a value of another kind`);
  throw new CleanclipError(
    `The checkpoint '${path}' has ${String(came)} as its ${name}, where an integer from 0 belongs; save it ` +
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

/** Checks the state of a scaler. An empty state is that of a scaler that was switched off. */
function scalerFault(value: unknown): string | undefined {
  if (isObject(value) && Object.keys(value).length === 0) return undefined;
  const names = ['scale', 'growth_factor', 'backoff_factor', 'growth_interval', '_growth_tracker'];
  const fits =
    isObject(value) && names.every((name) => Number.isFinite(numberIn(value[name])) && numberIn(value[name])! >= 0);
  return fits ? undefined : 'it is not the state of a torch.amp.GradScaler';
}

function orderFault(value: unknown): string | undefined {
  const fits = isObject(value) && ['examples', 'batchSize', 'seed'].every((name) => Number.isSafeInteger(value[name]));
  return fits ? undefined : 'it does not say rows, batch size and seed';
}
