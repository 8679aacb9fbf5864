import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { inspectAddon } from './inspect';
import { describeLibtorch, type Libtorch } from './libtorch';

/**
 * The headers that torch's NCCL header includes, and the Python packages that contain them. pip does not install the
 * last two packages with torch.
 */
const headers = [
  ['nccl.h', 'nvidia-nccl'],
  ['crt/host_config.h', 'nvidia-cuda-crt'],
  ['nv/target', 'nvidia-cuda-cccl'],
] as const;

/** A sentence that says why the addon cannot be built against this libtorch with CUDA and NCCL; null when it can. */
export function cudaObstacle(libtorch: Libtorch): string | null {
  if (libtorch.cuda === null) return `The libtorch in ${libtorch.root} is a CPU build.`;
  const nvidia = join(libtorch.root, '..', 'nvidia');
  const includes = existsSync(nvidia) ? readdirSync(nvidia).map((name) => join(nvidia, name, 'include')) : [];
  const missing = headers
    .filter(([header]) => !includes.some((folder) => existsSync(join(folder, header))))
    .map(([, name]) => name);
  if (missing.length === 0) return null;
  return (
    `${nvidia} lacks the headers of the ` +
    `Python ${missing.length > 1 ? 'packages' : 'package'} ${missing.join(', ')}, which NCCL needs.`
  );
}

/** A sentence that says why the compiled addon lacks CUDA or NCCL; null when it has both. */
export function missingCuda(libtorch: Libtorch): string | null {
  const facts = inspectAddon();
  if (typeof facts === 'string') return `The addon with CUDA does not load: ${facts}`;
  const compiled = `The addon was compiled against libtorch ${describeLibtorch(libtorch)}`;
  if (facts.cuda === null) return `${compiled}, but has no CUDA: the linker has left libtorch_cuda out.`;
  return facts.cuda.nccl === null ? `${compiled}, but has no NCCL: CMake has not found its headers.` : null;
}
