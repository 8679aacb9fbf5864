import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { CleanclipError } from '../errors';

/** A libtorch that the addon can be built against. */
export interface Libtorch {
  /** The folder that holds `include/` and `lib/`. */
  readonly root: string;
  /** As torch names itself: `2.13.0+cpu`. */
  readonly version: string;
  /** CUDA's version (`13.0`) when this is a CUDA build, else null. */
  readonly cuda: string | null;
}

/** The version that is downloaded when no libtorch is found. */
export const pinnedVersion = '2.13.0';

/** The version of the CUDA build that `setup --cuda` downloads. */
export const pinnedCudaVersion = '2.14.1';

const supported = /^2\.(1[1-4])\./;
const library = process.platform === 'darwin' ? 'dylib' : 'so';

/**
 * Reads the version of a libtorch folder: an unpacked libtorch archive, or the `torch` folder of a Python package.
 *
 * @throws CleanclipError `ERR_NATIVE` when it is not a libtorch with headers, or of a version not from 2.11 to 2.14
 */
export function readLibtorch(folder: string): Libtorch {
  const root = resolve(folder);
  const needed = ['include/ATen/ATen.h', 'include/torch/csrc/api/include/torch/torch.h', `lib/libtorch_cpu.${library}`];
  const missing = needed.find((file) => !existsSync(join(root, file)));
  if (missing) {
    throw nativeError(
      `${root} is not a libtorch folder: it has no ${missing}. Expected the folder that holds include/ and lib/.`,
    );
  }
  const version = readVersion(root);
  if (!supported.test(version)) {
    throw nativeError(
      `The libtorch in ${root} is version ${version}, but 2.11 to 2.14 are supported; torch ` +
        `${pinnedVersion} is tested most.`,
    );
  }
  const cuda = existsSync(join(root, 'lib', `libtorch_cuda.${library}`)) ? (readCudaVersion(root) ?? 'unknown') : null;
  return { root, version, cuda };
}

/** Does what {@link readLibtorch} does, but returns null where that throws. */
export function tryReadLibtorch(folder: string): Libtorch | null {
  try {
    return readLibtorch(folder);
  } catch {
    return null;
  }
}

/** `2.13.0+cpu (CPU) in /path`, for messages. */
export const describeLibtorch = ({ root, version, cuda }: Libtorch): string =>
  `${version} (${cuda ? `CUDA ${cuda}` : 'CPU'}) in ${root}`;

/** The error of an addon that cannot be built or loaded. */
export const nativeError = (message: string, cause?: unknown): CleanclipError =>
  new CleanclipError(message, 'ERR_NATIVE', { cause });

/**
 * Reads the version from the Python package's version.py, the archive's build-version, or a header (without `+cpu`).
 */
function readVersion(root: string): string {
  const python = /__version__ = '([^']+)'/.exec(readIfThere(join(root, 'version.py')))?.[1];
  const archive = readIfThere(join(root, 'build-version')).trim();
  const header = /#define TORCH_VERSION\s*\\?\s*"([^"]+)"/.exec(
    readIfThere(join(root, 'include', 'torch', 'headeronly', 'version.h')),
  )?.[1];
  return python || archive || header || 'unknown';
}

const readCudaVersion = (root: string): string | undefined =>
  /^cuda[^=\n]*= '([^']+)'/m.exec(readIfThere(join(root, 'version.py')))?.[1];

const readIfThere = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
