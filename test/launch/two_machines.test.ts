import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

import { bin, start, until, type Ended } from '../support/command';
import { drawShapes } from '../support/pairs';
import { curve, finished, flags } from './training';

jest.setTimeout(120_000);

// Two network namespaces with a cable between them: two machines, as far as the network goes, that share a disk.
const machines = [0, 1].map((i) => ({ name: `cleanclip-${process.pid}-${i}`, address: `10.77.0.${i + 1}`, link: `cc${process.pid}.${i}` }));
const ip = (args: string): boolean => spawnSync('ip', args.split(' ')).status === 0;

function connect(): boolean {
  const [a, b] = machines;
  return (
    machines.every(({ name }) => ip(`netns add ${name}`)) &&
    ip(`link add ${a.link} netns ${a.name} type veth peer name ${b.link} netns ${b.name}`) &&
    machines.every(({ name, address, link }) => ip(`-n ${name} addr add ${address}/24 dev ${link}`) && ip(`-n ${name} link set ${link} up`) && ip(`-n ${name} link set lo up`))
  );
}
const connected = connect(); // needs iproute2 and root
const withNamespaces = connected ? test : test.skip;
let folder: string;
beforeAll(async () => {
  folder = await drawShapes(3); // 36 pairs: 4 batches an epoch
});
afterAll(() => {
  machines.forEach(({ name }) => ip(`netns del ${name}`));
  rmSync(folder, { recursive: true, force: true });
});

/** The command as docs/distributed.md gives it for two machines. */
const train = (name: string, ...more: string[]): Promise<Ended>[] =>
  machines.map((machine, nodeRank) => {
    const where = ['--nnodes', '2', '--node_rank', String(nodeRank), '--distributed_init_method', `tcp://${machines[0].address}:7308`];
    const args = flags(name, '--distributed', '--nproc_per_node', '1', ...where, ...more);
    return start('ip', ['netns', 'exec', machine.name, process.execPath, bin('cleanclip-train'), ...args], folder).ended;
  });

withNamespaces('two machines of one rank train together; the first one writes', async () => {
  const [first, second] = await Promise.all(train('together'));
  expect([first, second]).toMatchObject([{ code: 0, stderr: '' }, { code: 0, stderr: '' }]);
  expect(first.stdout).toContain('The last checkpoint is logs/together/checkpoints/epoch_2.pt');
  expect(second.stdout).toBe('');
  expect([curve(folder, 'together').length, finished(folder, 'together')]).toEqual([8, true]);
});

withNamespaces('when the cable breaks both end within the time limit, and say so', async () => {
  const ends = train('cut', '--epochs', '500', '--distributed_timeout', '5');
  await until(() => curve(folder, 'cut').length >= 3);
  ip(`-n ${machines[0].name} link set ${machines[0].link} down`);
  const cutAt = performance.now();
  for (const { code, stderr } of await Promise.all(ends)) {
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cleanclip-train: Rank [01] of 2.*\n$/);
  }
  expect(performance.now() - cutAt).toBeLessThan(15_000);
});
