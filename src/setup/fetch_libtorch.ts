import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { libtorchCache } from '../paths';
import { writeRefusal } from '../write_refusal';
import {
  type Libtorch,
  nativeError,
  pinnedCudaVersion,
  pinnedVersion,
  readLibtorch,
  tryReadLibtorch,
} from './libtorch';
import { needPython, pipVersion, type Python } from './python';
import { run } from './run';
import { infoFolders, otherwise, unpack } from './wheels';

/** On Linux, the version without `+cpu` is the CUDA build, which is ten times as large and needs more packages. */
const requirement = process.platform === 'linux' ? `torch==${pinnedVersion}+cpu` : `torch==${pinnedVersion}`;

/** pip options that select an index: first pip's configured index, then PyTorch's index of CPU builds. */
const indexes: readonly (readonly string[])[] = [[], ['--index-url', 'https://download.pytorch.org/whl/cpu']];

/**
 * Downloads the CPU build of torch with pip, checks the wheel and extracts libtorch from it (see {@link unpack}). A
 * single rename moves it into the cache, so two processes may do this at once.
 *
 * @param log receives progress messages, one line per call
 * @returns the libtorch in the cache
 * @throws CleanclipError `ERR_NATIVE` when Python, pip or the network is missing, or the download is damaged
 */
export function fetchLibtorch(log: Log): Libtorch {
  return fetchInto((python, work, unpacked) => {
    log(`Downloading ${requirement} with pip (about 190 MB) …`);
    const wheels = download(python, `torch ${pinnedVersion}`, ['--no-deps', requirement], work, indexes);
    log('Unpacking and checking it …');
    unpack(python, wheels, unpacked, log);
    return moveIntoCache(join(unpacked, 'torch'), '.', pinnedVersion);
  });
}

/**
 * Does the same for the CUDA build of torch and the nvidia-* packages that it requires. torch looks for its libraries
 * in their folders beside `torch/`. It also downloads two packages that complete the headers of the CUDA runtime.
 *
 * @throws CleanclipError `ERR_NATIVE` as {@link fetchLibtorch}, and on systems other than Linux, which lack such a
 * build
 */
export function fetchCudaLibtorch(log: Log): Libtorch {
  if (process.platform !== 'linux')
    throw nativeError(`There is no CUDA build of torch for ${process.platform}; leave --cuda out.`);
  return fetchInto((python, work, unpacked) => {
    log(
      `Downloading torch ${pinnedCudaVersion} for CUDA and its nvidia packages with pip (2.7 GB, which take 4.4 ` +
        'GB unpacked) …',
    );
    const torch = download(python, `torch ${pinnedCudaVersion}`, ['--no-deps', `torch==${pinnedCudaVersion}`], work);
    unpack(python, torch, unpacked, log);
    const packages = download(
      python,
      `What torch ${pinnedCudaVersion} needs of NVIDIA`,
      nvidiaRequirements(unpacked),
      work,
    );
    log('Unpacking and checking it …');
    unpack(python, packages, unpacked, log);
    return moveIntoCache(unpacked, 'torch', pinnedCudaVersion);
  });
}

type Log = (line: string) => void;

/** Runs a download with a temporary work folder, which is removed afterwards. `unpacked` is a folder inside it. */
function fetchInto(fetch: (python: Python, work: string, unpacked: string) => Libtorch): Libtorch {
  const python = needPython();
  if (!pipVersion(python)) {
    throw nativeError(
      `${python.command} has no pip, and libtorch is fetched with it. Install pip (python3 -m ` +
        `ensurepip), ${otherwise}.`,
    );
  }
  const work = makeWorkFolder();
  try {
    return fetch(python, work, join(work, 'unpacked'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The exact NVIDIA packages that torch's wheel requires, such as `cuda-toolkit[cublas,…]==13.0.3` and
 * `nvidia-nccl-cu13==2.30.7`. Adds the extras `crt` and `cccl` to cuda-toolkit.
 */
function nvidiaRequirements(unpacked: string): string[] {
  const metadata = readFileSync(join(infoFolders(unpacked)[0], 'METADATA'), 'utf8');
  const requirements = [...metadata.matchAll(/^Requires-Dist: ((?:nvidia-|cuda-toolkit\[)[^;\s]+)/gm)].map(
    ([, requirement]) => requirement,
  );
  if (requirements.length === 0)
    throw nativeError(`The torch that pip brought is no CUDA build. Use another package index, ${otherwise}.`);
  return requirements.map((requirement) => requirement.replace('cuda-toolkit[', 'cuda-toolkit[crt,cccl,'));
}

/** Makes a temporary folder inside the cache, so that the final rename stays within one file system. */
function makeWorkFolder(): string {
  const cache = libtorchCache();
  try {
    mkdirSync(cache, { recursive: true });
    removeAbandoned(cache);
    return mkdtempSync(join(cache, '.fetch-'));
  } catch (error) {
    throw nativeError(
      `The cache folder ${cache} cannot be written: ${writeRefusal(cache, error as Error)}. Set CLEANCLIP_CACHE ` +
        'to a folder that can be written.',
      error,
    );
  }
}

/** Removes work folders that are more than an hour old: a download that was killed left them. */
function removeAbandoned(cache: string): void {
  for (const name of readdirSync(cache).filter((entry) => entry.startsWith('.fetch-'))) {
    const folder = join(cache, name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 3_600_000) rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Downloads wheels with pip from the first index that has them. Returns their paths.
 * @param what name of the wheels in the error message
 * @param requirements arguments of `pip download`
 * @param from pip options that select each index; default: pip's configured index
 */
function download(
  python: Python,
  what: string,
  requirements: readonly string[],
  folder: string,
  from: readonly (readonly string[])[] = [[]],
): string[] {
  let answer = '';
  for (const index of from) {
    const options = ['--only-binary=:all:', '--retries', '2', '--dest', folder];
    const { status, stderr } = run(python.command, ['-m', 'pip', 'download', ...requirements, ...options, ...index]);
    const wheels = readdirSync(folder).filter((name) => name.endsWith('.whl'));
    if (status === 0 && wheels.length > 0) return wheels.map((name) => join(folder, name));
    answer = stderr.split('\n').findLast((line) => line.startsWith('ERROR:')) ?? stderr.trim();
  }
  throw nativeError(
    `${what} could not be downloaded: pip of Python ${python.version} answered "${answer}". ` +
      `Go online, name an index that has it (PIP_INDEX_URL), ${otherwise}.`,
  );
}

/**
 * Moves a folder into the cache.
 * @param root path of the libtorch inside the folder
 * @param wanted version that the libtorch must begin with
 */
function moveIntoCache(unpacked: string, root: string, wanted: string): Libtorch {
  const { version } = readLibtorch(join(unpacked, root));
  if (!version.startsWith(wanted)) {
    throw nativeError(
      `pip was asked for torch ${wanted} and brought ${version}. Use another package index, ${otherwise}.`,
    );
  }
  const home = join(libtorchCache(), `${version}-${process.platform}-${process.arch}`);
  const sound = (): boolean => tryReadLibtorch(join(home, root)) !== null;
  if (!sound()) rmSync(home, { recursive: true, force: true });
  try {
    renameSync(unpacked, home);
  } catch (error) {
    if (!sound()) throw error; // else another process was faster
  }
  return readLibtorch(join(home, root));
}
