import { addon } from './addon';
import { requireFunction } from './argument_checks';

/** What an operator took. */
export interface OperatorProfile {
  /** 'aten::convolution' */
  name: string;
  calls: number;
  /** in the operator itself, without those it calls */
  seconds: number;
}

/**
 * Counts and times every operator that a synchronous function runs, those inside the models and in backward passes too
 * (torch.profiler, of the calling thread alone). On a GPU the seconds are those of the CPU that gives it work.
 * @returns the operators, those with the most time first
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
