import { rmSync } from 'node:fs';

import { bin, type Ended, start, until } from '../../support/command';
import { drawShapes } from '../../support/pairs';
import { Machines } from '../../torch/distributed/machines';
import { curve, finished, flags } from './training';

jest.setTimeout(120_000);

// Two network namespaces, which share a disk.
const machines = new Machines();
const onMachines = machines.connect() ? test : test.skip; // needs iproute2 and root
let folder: string;
beforeAll(async () => {
  folder = await drawShapes(3); // 36 pairs: 4 batches an epoch
});
afterAll(() => {
  machines.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** The command as docs/distributed.md gives it for two machines. */
const train = (name: string, ...more: string[]): Promise<Ended>[] =>
  [0, 1].map((machine) => {
    const where = [
      '--nnodes',
      '2',
      '--node_rank',
      String(machine),
      '--distributed_init_method',
      `tcp://${machines.address}:7308`,
    ];
    const args = flags(name, '--distributed', '--nproc_per_node', '1', ...where, ...more);
    return start(
      'ip',
      ['netns', 'exec', machines.name(machine), process.execPath, bin('cleanclip-train'), ...args],
      folder,
    ).ended;
  });

onMachines('two machines of one rank train together; the first one writes', async () => {
  const [first, second] = await Promise.all(train('together'));
  expect([first, second]).toMatchObject([
    { code: 0, stderr: '' },
    { code: 0, stderr: '' },
  ]);
  expect(first.stdout).toContain('The last checkpoint is logs/together/checkpoints/epoch_2.pt');
  expect(second.stdout).toBe('');
  expect([curve(folder, 'together').length, finished(folder, 'together')]).toEqual([8, true]);
});

onMachines('when the cable breaks both end within the time limit, and say so', async () => {
  const ends = train('cut', '--epochs', '500', '--distributed_timeout', '15');
  await until(() => curve(folder, 'cut').length >= 3);
  machines.cut();
  const cutAt = performance.now();
  for (const { code, stderr } of await Promise.all(ends)) {
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cleanclip-train: Rank [01] of 2.*\n$/);
  }
  expect(performance.now() - cutAt).toBeLessThan(40_000);
});
