// A slow cable between two machines: network namespaces, whose veth pair lets through so many bits a second. What waits
// in it is no work for a core.
import { spawnSync } from 'node:child_process';

const ends = [0, 1].map((i) => ({ machine: `bench-${process.pid}-${i}`, address: `10.79.0.${i + 1}` }));
const ip = (args) => spawnSync('ip', args.split(' ')).status === 0;
const limit = (machine, bits) =>
  spawnSync('ip', [
    'netns',
    'exec',
    machine,
    'tc',
    'qdisc',
    'add',
    'dev',
    'cable',
    'root',
    'tbf',
    'rate',
    `${bits}bit`,
    'burst',
    '2mb',
    'latency',
    '1s',
  ]).status === 0;

/**
 * Lays it.
 * @param {number} bits a second in each direction
 * @returns a network for `openRanks` with `remove()`; undefined where it cannot be made: that needs root, iproute2 and
 * the kernel's tbf
 */
export function layCable(bits) {
  const [a, b] = ends;
  const remove = () => ends.forEach(({ machine }) => ip(`netns del ${machine}`));
  const laid =
    ends.every(({ machine }) => ip(`netns add ${machine}`)) &&
    ip(`link add cable netns ${a.machine} type veth peer name cable netns ${b.machine}`) &&
    ends.every(
      ({ machine, address }) =>
        ['lo', 'cable'].every((link) => ip(`-n ${machine} link set ${link} up`)) &&
        ip(`-n ${machine} addr add ${address}/24 dev cable`) &&
        limit(machine, bits),
    );
  if (!laid) {
    remove();
    return undefined;
  }
  return {
    variables: { MASTER_ADDR: a.address, GLOO_SOCKET_IFNAME: 'cable' },
    on: (rank, command) => ['ip', 'netns', 'exec', ends[rank].machine, ...command],
    remove,
  };
}
