// Measures the cost of an operator call. The operator itself has almost nothing to do.
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';

const { torch } = cleanclip;
const CALLS = 200_000;

export async function prepare() {
  const [a, b] = [torch.ones([1]), torch.ones([1])];
  const single = () =>
    torch.tidy(() => {
      for (let i = 0; i < 10; i++) torch.add(a, b);
    });
  const chain = () =>
    torch.tidy(() => {
      let sum = a;
      for (let i = 0; i < 10; i++) sum = torch.add(sum, b);
    });
  return () => ({ add: secondsACall(single), chain: secondsACall(chain) });
}

/** Returns the seconds per call of a function that makes 10 calls. */
function secondsACall(ten) {
  const start = performance.now();
  for (let i = 0; i < CALLS / 10; i++) ten();
  return (performance.now() - start) / 1000 / CALLS;
}
