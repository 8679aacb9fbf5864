import { join } from 'node:path';

import { packageRoot } from '../paths';
import { run } from './run';

/** What the compiled addon reports. */
export interface AddonFacts {
  /** instruction set, as libtorch names it: 'AVX512', 'AVX2', 'DEFAULT' */
  readonly capability: string;
  /** number of threads of one operation */
  readonly threads: number;
  /** null for a CPU build; `nccl` is NCCL's version, or null for a build without it */
  readonly cuda: { readonly nccl: string | null } | null;
  /** number of visible GPUs */
  readonly gpus: number;
}

/**
 * Loads the addon in another process, because a broken addon can crash its process. Returns a string that says why it
 * does not load.
 */
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
