import { optionError } from '../../errors';
import { checkInteger } from '../../integers';
import { FileStore, type Store, TCPStore } from './store';

/** Where the ranks meet, and which of them this process is. */
export interface Rendezvous {
  store: Store;
  rank: number;
  worldSize: number;
  /** the host that the store is on; '' when it is in a file */
  host: string;
  /** whether rank 0's process hosts the store, as far as known */
  firstHosts: boolean;
}

/** What {@link rendezvous} takes from the options of initProcessGroup. */
export interface RendezvousOptions {
  initMethod: string;
  rank?: number;
  worldSize?: number;
  timeout: number;
}

/**
 * Makes the store that an init method names. `env://` reads RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun
 * sets them. With `tcp://host:port` and `file:///path`, rank and size come from the options. Rank 0 hosts a TCP store,
 * unless torchrun's agent does.
 */
export async function rendezvous(options: RendezvousOptions): Promise<Rendezvous> {
  const { initMethod, timeout } = options;
  const url = URL.canParse(initMethod) ? new URL(initMethod) : undefined;
  switch (url?.protocol) {
    case 'env:': {
      const rank = options.rank ?? fromEnvironment('RANK');
      const worldSize = options.worldSize ?? fromEnvironment('WORLD_SIZE');
      const host = process.env.MASTER_ADDR;
      if (!host)
        throw optionError('env:// needs the environment variable MASTER_ADDR, the host of rank 0, but it is not set.');
      return overTcp(host, fromEnvironment('MASTER_PORT'), checkRanks({ rank, worldSize }), timeout);
    }
    case 'tcp:':
      if (url.hostname === '' || url.port === '') break;
      return overTcp(url.hostname.replace(/^\[(.*)\]$/, '$1'), Number(url.port), checkRanks(options), timeout);
    case 'file:': {
      if (url.pathname === '/' || url.pathname === '') break;
      const ranks = checkRanks(options);
      return {
        store: await FileStore.create(decodeURIComponent(url.pathname), ranks.worldSize, timeout),
        ...ranks,
        host: '',
        firstHosts: false,
      };
    }
  }
  throw optionError(`initMethod must be env://, tcp://host:port or file:///path, but it is '${initMethod}'.`);
}

/** Checks that both are given and are integers, and that the group has such a rank. */
export function checkRanks({ rank, worldSize }: { rank?: number; worldSize?: number }): {
  rank: number;
  worldSize: number;
} {
  const ranks = checkInteger('worldSize', worldSize, { least: 1, ofWhat: 'ranks' });
  return { rank: checkInteger('rank', rank, { least: 0, most: ranks - 1 }), worldSize: ranks };
}

async function overTcp(
  host: string,
  port: number,
  ranks: { rank: number; worldSize: number },
  timeout: number,
): Promise<Rendezvous> {
  const { MASTER_ADDR, MASTER_PORT, TORCHELASTIC_USE_AGENT_STORE, LOCAL_WORLD_SIZE } = process.env;
  const agentHosts = TORCHELASTIC_USE_AGENT_STORE === 'True' && MASTER_ADDR === host && MASTER_PORT === String(port);
  const isMaster = ranks.rank === 0 && !agentHosts;
  // A loopback address alone is no proof: some pods have it for their own name, by which others reach them.
  const loopback = LOCAL_WORLD_SIZE === String(ranks.worldSize);
  return {
    store: await TCPStore.create({ host, port, isMaster, timeout, loopback }),
    ...ranks,
    host,
    firstHosts: !agentHosts,
  };
}

function fromEnvironment(name: string): number {
  const text = process.env[name];
  if (text === undefined || !/^\d+$/.test(text)) {
    throw optionError(
      `env:// needs the environment variable ${name}, an integer, but it ` +
        `is ${text === undefined ? 'not set' : `'${text}'`}.`,
    );
  }
  return Number(text);
}
