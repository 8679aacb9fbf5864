import { spawnSync } from 'node:child_process';

/** Returns the folder of a Python's torch package, which is a libtorch folder. Exits with 1 when it has no torch. */
export function torchFolder(python) {
  const find = 'import importlib.util; print(importlib.util.find_spec("torch").submodule_search_locations[0])';
  const { status, stdout } = spawnSync(python, ['-c', find], { encoding: 'utf8' });
  if (status !== 0) {
    console.error(
      `${python} has no torch; give CLEANCLIP_PYTHON a Python with the packages of ` +
        'test/parity/harness-requirements.txt.',
    );
    process.exit(1);
  }
  return stdout.trim();
}
