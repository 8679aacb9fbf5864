import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { type Tensor, torch } from '../../src/torch';

const MIB = 2 ** 20;

/**
 * How many MiB the process of a script holds beyond its beginning, as it printed them; in a process of its own, because
 * the cache remembers the peak.
 */
function residentMiB(script: string): number[] {
  const prelude = `
    const { torch } = require(${JSON.stringify(join(__dirname, '..', '..', 'dist', 'torch'))});
    const MIB = 2 ** 20;
    const status = () => require('node:fs').readFileSync('/proc/self/status', 'utf8');
    const resident = () => Number(/^VmRSS:\\s+(\\d+) kB$/m.exec(status())[1]) / 1024;
    torch.ones([1]).add(1);
    const before = resident();
    const say = () => console.log(resident() - before);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', prelude + script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split('\n').map(Number);
}

// elsewhere the system does not tell the memory of a moment
const onLinux = process.platform === 'linux' ? test : test.skip;

describe('memory of freed tensors', () => {
  test('goes to the next ones of about their size', () => {
    torch.emptyCache(); // of the suites before this one in the same process
    const first = torch.ones([8 * MIB]);
    first.fill_(7);
    first.dispose();
    const second = torch.empty([8 * MIB - 1000]);
    expect(torch.tidy(() => second.eq(7).all().item())).toBe(true); // what the first one left
    second.dispose();
  });

  test('of any small size holds what is written to it, and nothing of its neighbours', () => {
    torch.tidy(() => {
      // sizes around those of the blocks, 64 to 1,024 bytes; every third is freed while the others live
      const make = (i: number): Tensor => torch.full([1 + ((7 * i) % 300)], i);
      const live = Array.from({ length: 900 }, (_, i) => make(i));
      for (let round = 1; round <= 3; round++) {
        for (let i = round; i < live.length; i += 3) {
          live[i].dispose();
          live[i] = make(i);
        }
      }
      expect(live.every((tensor, i) => tensor.eq(i).all().item())).toBe(true);
    });
  });

  onLinux('goes back to the system by emptyCache', () => {
    const [kept, given] = residentMiB('torch.ones([64 * MIB]).dispose(); say(); torch.emptyCache(); say();');
    expect(kept).toBeGreaterThan(200); // of 256
    expect(given).toBeLessThan(50);
  });

  onLinux('takes no more than the tensors once did, and 128 MiB', () => {
    // 4 to 148 MiB, one at a time
    const [held] = residentMiB('for (let i = 1; i <= 200; i++) torch.ones([(1 + (i % 37)) * MIB]).dispose(); say();');
    expect(held).toBeLessThan(148 + 128 + 20);
  });

  test('is refused with a sentence when the system has none', () => {
    expect(() => torch.empty([2 ** 46 + 1])).toThrow(
      `There is not enough memory: the operation asked for ${2 ** 48 + 4} bytes.`,
    );
  });
});
