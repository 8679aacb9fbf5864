import { join } from 'node:path';

import { packageRoot } from '../paths';
import { run } from './run';

/** What the compiled addon says of itself. */
export interface AddonFacts {
  /** as libtorch names it: 'AVX512', 'AVX2', 'DEFAULT' */
  readonly capability: string;
  readonly threads: number;
  /** null: compiled against a CPU build; the version of NCCL is null when it was compiled without */
  readonly cuda: { readonly nccl: string | null } | null;
  /** how many GPUs it sees */
  readonly gpus: number;
}

/** Loads the addon in a process of its own: a broken one might end the process. A string says why it does not load. */
export function inspectAddon(): AddonFacts | string {
  const script = `
    try {
      const addon = require(${JSON.stringify(join(packageRoot, 'dist', 'setup', 'load.js'))}).loadAddon();
      const [capability, threads] = [addon.cpuCapability(), addon.numThreads()];
  const [cuda, gpus] = [addon.cudaBuild(), addon.cudaDeviceCount()];
      console.log(JSON.stringify({ capability, threads, cuda, gpus }));
    } catch (error) {
      console.error(error.message);
      process.exit(1);
    }`;
  const { status, stdout, stderr } = run(process.execPath, ['-e', script]);
  return status === 0 ? (JSON.parse(stdout) as AddonFacts) : stderr.trim() || 'the process was killed';
}
