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

/** On Linux the plain name would bring the CUDA build, which is ten times as big and needs more packages. */
const requirement = process.platform === 'linux' ? `torch==${pinnedVersion}+cpu` : `torch==${pinnedVersion}`;

/** pip's configured index, then PyTorch's own index of CPU builds. */
const indexes: readonly (readonly string[])[] = [[], ['--index-url', 'https://download.pytorch.org/whl/cpu']];

/**
 * Downloads the CPU build of torch with pip, checks the wheel, see {@link unpack}, takes libtorch out of it, and puts
 * it into the cache under its final name in one step. Two processes may do this at once.
 *
 * @param log is told what goes on, a line at a time
 * @throws CleanclipError `ERR_NATIVE` when there is no Python, no pip, no network, or the download is damaged
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
 * The same for the CUDA build of torch, and the nvidia-* packages that it names, in whose folders beside `torch/` it
 * looks for its libraries; with them the two that complete the headers of the CUDA runtime.
 *
 * @throws CleanclipError `ERR_NATIVE` as above, and where there is no such build: it is for Linux
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

/** Runs a fetch with a folder for downloads, which is removed, and one in it to unpack to. */
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
 * What torch's wheel says it needs of NVIDIA's libraries, in the exact versions: `cuda-toolkit[cublas,…]==13.0.3`,
 * `nvidia-nccl-cu13==2.30.7`, …
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

/** A folder of our own within the cache, so that the final rename stays in one file system. */
function makeWorkFolder(): string {
  const cache = libtorchCache();
  try {
    mkdirSync(cache, { recursive: true });
    removeAbandoned(cache);
    return mkdtempSync(join(cache, '.fetch-'));
  } catch (error) {
    throw nativeError(
      `The cache folder ${cache} cannot be written: ${writeRefusal(cache, error as Error)}. Set CLEANCLIP_CACHE ` +
        'to one that can.',
      error,
    );
  }
}

/** What a fetch that was killed left behind, an hour ago or more. */
function removeAbandoned(cache: string): void {
  for (const name of readdirSync(cache).filter((entry) => entry.startsWith('.fetch-'))) {
    const folder = join(cache, name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 3_600_000) rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The wheels that pip downloads, from the first of the indexes that has them.
 * @param what they are, for the message that they are not to be had
 * @param requirements as pip takes them, with their options
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
    `${what} could not be downloaded: pip of Python ${python.version} answered "${answer}" ` +
      `Go online, name an index that has it (PIP_INDEX_URL), ${otherwise}.`,
  );
}

/** @param root where the libtorch is in the folder that is moved */
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
    if (!sound()) throw error; // Otherwise another process put it there first.
  }
  return readLibtorch(join(home, root));
}
