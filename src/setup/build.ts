import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { syncFile, syncFolder, temporaryName, writeFileWhole } from '../files';
import { addonFile, buildFolder, packageRoot, recordFile } from '../paths';
import { type Libtorch, nativeError } from './libtorch';
import { newRecord } from './record';

const workFolder = join(buildFolder, 'cmake');

/** The memory that one compiler process takes at most; torch's headers need it. */
const bytesPerJob = 2 * 1024 ** 3;

/**
 * Compiles native/ with cmake-js, which supplies the headers of Node-API and downloads nothing. The addon and its
 * record are written atomically, after everything is compiled and linked.
 *
 * @param quiet shows the messages of the compiler only when it fails; default false
 * @throws CleanclipError `ERR_NATIVE` when the build fails; the compiler has printed its messages by then
 */
export function build(libtorch: Libtorch, quiet = false): void {
  const record = newRecord(libtorch);
  if (!configuredFor(libtorch)) rmSync(workFolder, { recursive: true, force: true });

  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / bytesPerJob)));
  const args = [
    require.resolve('cmake-js/bin/cmake-js'),
    'build',
    `--directory=${packageRoot}`,
    `--out=${workFolder}`,
    `--parallel=${jobs}`,
    `--CDLIBTORCH=${libtorch.root}`,
    `--CDLIBTORCH_VERSION=${libtorch.version}`,
    '--log-level=warn',
  ];
  const { status, output } = spawnSync(process.execPath, args, {
    cwd: packageRoot,
    stdio: quiet ? 'pipe' : 'inherit',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) {
    for (const messages of quiet ? output : []) if (messages !== null) process.stderr.write(messages);
    throw nativeError(
      `The addon could not be compiled against libtorch ${libtorch.version} in ${libtorch.root}: see the ` +
        `compiler's message above. ` +
        'If the compiler was killed, there was too little memory: it takes 2 GB per process.',
    );
  }
  install(join(workFolder, 'Release', 'cleanclip.node'));
  writeFileWhole(recordFile, `${JSON.stringify(record, null, 2)}\n`);
  // The folder has 500 MB, which only a developer needs again.
  if (!existsSync(join(packageRoot, 'src'))) rmSync(workFolder, { recursive: true, force: true });
}

/**
 * Whether the work folder is configured for this libtorch and this location of the package. CMake never changes these
 * choices, so a work folder with others cannot be used.
 */
function configuredFor({ root, version }: Libtorch): boolean {
  const cacheFile = join(workFolder, 'CMakeCache.txt');
  if (!existsSync(cacheFile)) return false;
  const lines = readFileSync(cacheFile, 'utf8').split('\n');
  const has = (name: string, value: string): boolean =>
    lines.some((line) => line.startsWith(`${name}:`) && line.endsWith(`=${value}`));
  return has('LIBTORCH', root) && has('LIBTORCH_VERSION', version) && has('CMAKE_HOME_DIRECTORY', packageRoot);
}

/** Puts the addon into place by a rename, so that a process that has loaded the old one keeps it. */
function install(built: string): void {
  const temporary = join(dirname(addonFile), temporaryName(basename(addonFile)));
  mkdirSync(dirname(addonFile), { recursive: true });
  rmSync(recordFile, { force: true });
  copyFileSync(built, temporary);
  syncFile(temporary);
  renameSync(temporary, addonFile);
  syncFolder(dirname(addonFile));
}
