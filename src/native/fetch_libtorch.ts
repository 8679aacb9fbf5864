import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { nativeError, pinnedVersion, readLibtorch, tryReadLibtorch, type Libtorch } from './libtorch';
import { libtorchCache } from './paths';
import { needPython, pipVersion, type Python } from './python';
import { run } from './run';

const otherwise = 'or set LIBTORCH to a libtorch folder of version 2.13 or 2.14';

/** On Linux the plain name would bring the CUDA build, which is ten times as big and needs more packages. */
const requirement = process.platform === 'linux' ? `torch==${pinnedVersion}+cpu` : `torch==${pinnedVersion}`;

/** pip's configured index, then PyTorch's own index of CPU builds. */
const indexes: readonly (readonly string[])[] = [[], ['--index-url', 'https://download.pytorch.org/whl/cpu']];

/**
 * Downloads the CPU build of torch with pip, takes libtorch out of the wheel, checks every file against the hashes
 * that the wheel records, and puts it into the cache under its final name in one step. Two processes may do this at once.
 *
 * @param log is told what goes on, a line at a time
 * @throws CleanclipError `ERR_NATIVE` when there is no Python, no pip, no network, or the download is damaged
 */
export function fetchLibtorch(log: (line: string) => void): Libtorch {
  const python = needPython();
  if (!pipVersion(python)) {
    throw nativeError(`${python.command} has no pip, and libtorch is fetched with it. Install pip (python3 -m ensurepip), ${otherwise}.`);
  }
  const work = makeWorkFolder();
  try {
    log(`Downloading ${requirement} with pip (about 190 MB) …`);
    const wheel = download(python, work);
    log('Unpacking and checking it …');
    const unpacked = unpack(python, wheel, join(work, 'wheel'));
    return moveIntoCache(unpacked);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A folder of our own within the cache, so that the final rename stays in one file system. */
function makeWorkFolder(): string {
  const cache = libtorchCache();
  try {
    mkdirSync(cache, { recursive: true });
    removeAbandoned(cache);
    return mkdtempSync(join(cache, '.fetch-'));
  } catch (error) {
    throw nativeError(`The cache folder ${cache} cannot be written (${(error as Error).message}). Set CLEANCLIP_CACHE to one that can.`, error);
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

function download(python: Python, folder: string): string {
  let answer = '';
  for (const index of indexes) {
    const options = ['--no-deps', '--only-binary=:all:', '--retries', '2', '--dest', folder];
    const { status, stderr } = run(python.command, ['-m', 'pip', 'download', requirement, ...options, ...index]);
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
    if (status === 0 && wheel) return join(folder, wheel);
    answer = stderr.split('\n').findLast((line) => line.startsWith('ERROR:')) ?? stderr.trim();
  }
  throw nativeError(
    `torch ${pinnedVersion} could not be downloaded: pip of Python ${python.version} answered "${answer}" ` +
      `Go online, name an index that has it (PIP_INDEX_URL), ${otherwise}.`,
  );
}

/** Takes libtorch out of the wheel with Python's zipfile, which also checks each file's CRC. */
function unpack(python: Python, wheel: string, folder: string): string {
  const extract = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wanted = [name for name in wheel.namelist()
              if name.startswith(('torch/include/', 'torch/lib/')) or name == 'torch/version.py' or name.endswith('.dist-info/RECORD')]
    wheel.extractall(sys.argv[2], wanted)`;
  const { status, stderr } = run(python.command, ['-c', extract, wheel, folder]);
  if (status !== 0) {
    throw nativeError(`The downloaded ${wheel} could not be unpacked: ${stderr.trim().split('\n').pop()}. Run this again, ${otherwise}.`);
  }
  checkAgainstRecord(folder);
  return join(folder, 'torch');
}

/** RECORD has a line per file: `torch/version.py,sha256=<base64url>,<bytes>`. */
function checkAgainstRecord(folder: string): void {
  const info = readdirSync(folder).find((name) => name.endsWith('.dist-info'));
  const record = info ? readFileSync(join(folder, info, 'RECORD'), 'utf8') : '';
  const entries = record.matchAll(/^(torch\/(?:include|lib)\/[^,]+|torch\/version\.py),sha256=([^,]+),/gm);
  let checked = 0;
  for (const [, file, expected] of entries) {
    if (hash(join(folder, file)) !== expected) {
      throw nativeError(`The downloaded torch is damaged: ${file} does not have the hash that the wheel records. Run this again.`);
    }
    checked += 1;
  }
  if (checked === 0) throw nativeError(`The downloaded torch records no hashes, so it cannot be trusted. Use another package index, ${otherwise}.`);
}

const hash = (file: string): string | null =>
  existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('base64url') : null;

function moveIntoCache(unpacked: string): Libtorch {
  const { version } = readLibtorch(unpacked);
  if (!version.startsWith(pinnedVersion)) {
    throw nativeError(`pip was asked for torch ${pinnedVersion} and brought ${version}. Use another package index, ${otherwise}.`);
  }
  const home = join(libtorchCache(), `${version}-${process.platform}-${process.arch}`);
  const sound = (): boolean => tryReadLibtorch(home) !== null;
  if (!sound()) rmSync(home, { recursive: true, force: true });
  try {
    renameSync(unpacked, home);
  } catch (error) {
    if (!sound()) throw error; // Otherwise another process put it there first.
  }
  return readLibtorch(home);
}
