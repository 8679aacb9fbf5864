import { addon } from './addon';
import { requireFunction } from './argument_checks';

/** How often and how long an operator ran. */
export interface OperatorProfile {
  /** the qualified name: 'aten::convolution' */
  name: string;
  calls: number;
  /** spent in the operator itself, without the operators that it calls */
  seconds: number;
}

/**
 * Counts and times every operator that a synchronous function runs in this thread and in its backward passes, also
 * inside models (torch.profiler). With a GPU, the seconds are those in which the CPU queues the work.
 * @returns one entry per operator, the one with the most seconds first
 * @throws CleanclipError `ERR_TORCH` when `fn` is no function
 * @example console.table(torch.profile(() => clip.encodeImage(pixels)).slice(0, 10));
 */
export function profile(fn: () => void): OperatorProfile[] {
  requireFunction(fn, 'profile');
  const handle = addon().startProfile();
  let rows: [name: string, calls: number, seconds: number][] = [];
  try {
    fn();
  } finally {
    rows = addon().stopProfile(handle);
  }
  return rows.map(([name, calls, seconds]) => ({ name, calls, seconds })).sort((a, b) => b.seconds - a.seconds);
}
