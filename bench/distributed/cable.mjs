// Makes a slow cable between two machines: network namespaces with a veth pair of limited bandwidth. While data waits
// in it, no core works.
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
 * Makes the cable.
 * @param {number} bits per second in each direction
 * @returns a network for `openRanks`, with `remove()`; undefined where it cannot be made, because it needs root,
 * iproute2 and the kernel's tbf
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
