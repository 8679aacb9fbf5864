import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { addonFile } from '../../src/paths';
import { findLibtorch } from '../../src/setup/find_libtorch';
import { isCurrent } from '../../src/setup/record';

export const root = resolve(__dirname, '../..');

interface Locked {
  dev?: boolean;
}

/** The environment of a package that is installed here: its addon lies in its own folder, wherever the tests' lies. */
export const environment: NodeJS.ProcessEnv = { ...process.env, CLEANCLIP_BUILD: '' };

/** Runs a command of npm, and gives what it prints. */
export const npm = (cwd: string, command: 'npm' | 'npx', ...args: string[]): string =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment,
  });

/** The tarball that would be published, and the files in it. */
export function pack(folder: string): { tarball: string; files: string[] } {
  const [{ filename, files }] = JSON.parse(
    npm(root, 'npm', 'pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder),
  ) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
}

/**
 * Installs the tarball into the project `folder` with `npm ci`, from npm's cache where it has the packages: the
 * versions are those of this checkout. The addon is that of this checkout; `cleanclip setup` says whether it fits.
 */
export function install(folder: string, tarball: string): void {
  const libtorch = findLibtorch({ cuda: false });
  if (libtorch === null || !isCurrent(libtorch)) throw new Error('The addon is not current: run npm run build.');
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const { version, dependencies, bin, engines } = manifest;
  const project = { name: 'consumer', version: '1.0.0', dependencies: { cleanclip: `file:${tarball}` } };
  const needed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);
  const packages = {
    '': project,
    'node_modules/cleanclip': {
      version,
      resolved: `file:${tarball}`,
      dependencies,
      bin,
      engines,
      hasInstallScript: true,
    },
    ...Object.fromEntries(needed),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...project, lockfileVersion: 3, packages }));
  npm(folder, 'npm', 'ci', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  cpSync(dirname(addonFile), join(folder, 'node_modules/cleanclip/build/Release'), { recursive: true });
}
