// `node scripts/python_venv.mjs <folder> <requirements.txt>` makes a Python venv with the packages of a requirements
// file. It does nothing when the folder has a venv that was made from the same file.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const cpuIndex = 'https://download.pytorch.org/whl/cpu';

const [folder, requirementsFile] = process.argv.slice(2);
const requirements = readFileSync(requirementsFile, 'utf8');
const stamp = join(folder, 'requirements.txt');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== requirements) {
  console.log(`Making ${folder} with the packages of ${requirementsFile} …`);
  rmSync(folder, { recursive: true, force: true });
  const made =
    run(process.env.PYTHON || 'python3', ['-m', 'venv', folder]) &&
    (install() || install('--extra-index-url', cpuIndex));
  if (!made) {
    console.error(
      `${folder} could not be made: it needs python3 with venv, and pip must reach an index with these packages.`,
    );
    process.exit(1);
  }
  writeFileSync(stamp, requirements);
}

function install(...options) {
  return run(join(folder, 'bin', 'python'), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--requirement',
    requirementsFile,
    ...options,
  ]);
}

function run(command, args) {
  return spawnSync(command, args, { stdio: 'inherit' }).status === 0;
}
