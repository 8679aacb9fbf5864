import { spawnSync } from 'node:child_process';

/** Two network namespaces with a cable between them: two machines, as far as the network goes. */
export class Machines {
  private readonly ends = [0, 1].map((i) => ({
    name: `ranks-${process.pid}-${i}`,
    link: `rk${process.pid}.${i}`,
    address: `10.78.0.${i + 1}`,
  }));

  /** The first one's address. */
  readonly address = this.ends[0].address;

  /** Whether they could be made, which needs root and iproute2. */
  connect(): boolean {
    const [a, b] = this.ends;
    return (
      this.ends.every(({ name }) => ip(`netns add ${name}`)) &&
      ip(`link add ${a.link} netns ${a.name} type veth peer name ${b.link} netns ${b.name}`) &&
      this.ends.every(
        ({ name, link, address }) =>
          ['lo', link].every((one) => ip(`-n ${name} link set ${one} up`)) &&
          ip(`-n ${name} addr add ${address}/24 dev ${link}`),
      )
    );
  }

  name(machine: number): string {
    return this.ends[machine].name;
  }

  cut(): void {
    ip(`-n ${this.ends[1].name} link set ${this.ends[1].link} down`);
  }

  remove(): void {
    for (const { name } of this.ends) ip(`netns del ${name}`);
  }
}

const ip = (args: string): boolean => spawnSync('ip', args.split(' ')).status === 0;
