import { readFileSync } from 'node:fs';

import { torch } from '../../src/torch';

const MIB = 2 ** 20;

const resident = (): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
const onLinux = process.platform === 'linux' ? it : it.skip; // elsewhere the system does not tell the memory of a moment

describe('memory of freed tensors', () => {
  it('goes to the next ones of about their size', () => {
    const first = torch.ones([8 * MIB]);
    first.fill_(7);
    first.dispose();
    const second = torch.empty([8 * MIB - 1000]);
    expect(torch.tidy(() => second.eq(7).all().item())).toBe(true); // what the first one left
    second.dispose();
  });

  onLinux('goes back to the system by emptyCache', () => {
    torch.emptyCache();
    const before = resident();
    torch.ones([64 * MIB]).dispose(); // 256 MiB
    expect(resident() - before).toBeGreaterThan(200 * MIB);
    torch.emptyCache();
    expect(resident() - before).toBeLessThan(50 * MIB);
  });

  onLinux('takes no more than the tensors once did, and 128 MiB', () => {
    torch.emptyCache();
    const before = resident();
    for (let i = 1; i <= 200; i++) torch.ones([(1 + (i % 37)) * MIB]).dispose(); // 4 to 148 MiB, one at a time
    expect(resident() - before).toBeLessThan(256 * MIB + 128 * MIB + 20 * MIB);
    torch.emptyCache();
  });

  it('is refused with a sentence when the system has none', () => {
    expect(() => torch.empty([2 ** 46 + 1])).toThrow(`There is not enough memory: the operation asked for ${2 ** 48 + 4} bytes.`);
  });
});
