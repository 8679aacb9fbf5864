import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';

import { nativeError } from './libtorch';
import type { Python } from './python';
import { run } from './run';

/** What to do instead of fetching, for messages. */
export const otherwise = 'or set LIBTORCH to a libtorch folder of version 2.13 or 2.14';

/** The SHA-256 of wheels as PyTorch has released them, by their file names. */
export const releasedWheels: Record<string, string> = {
  'torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl':
    '6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b',
};

/**
 * Checks wheels, takes libtorch and NVIDIA's packages out of them, and removes them. A wheel that PyTorch has released
 * under a name of {@link releasedWheels} must have its SHA-256. Of any other the index is trusted, which `log` is told.
 * Of every file of theirs the wheels' RECORD must name the SHA-256, whoever made them.
 * @throws CleanclipError `ERR_NATIVE`
 */
export function unpack(python: Python, wheels: readonly string[], folder: string, log: (line: string) => void): void {
  const unknown = wheels.filter((wheel) => !isReleased(wheel)).map((wheel) => basename(wheel));
  if (unknown.length > 0)
    log(
      `No SHA-256 of ${unknown.join(', ')} is known here: what pip's index gave is checked against its own ` +
        'RECORD alone.',
    );
  // Python's zipfile also checks each file's CRC.
  const extract = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wanted = [name for name in wheel.namelist()
              if name.startswith(('torch/include/', 'torch/lib/', 'nvidia/')) or name == 'torch/version.py'
              or name.endswith(('.dist-info/RECORD', '.dist-info/METADATA'))]
    wheel.extractall(sys.argv[2], wanted)`;
  for (const wheel of wheels) {
    const { status, stderr } = run(python.command, ['-c', extract, wheel, folder]);
    if (status !== 0) {
      throw nativeError(
        `The downloaded ${wheel} could not be unpacked: ${stderr.trim().split('\n').pop()}. Run this ` +
          `again, ${otherwise}.`,
      );
    }
    rmSync(wheel);
  }
  checkAgainstRecords(folder);
}

/** The folders of what wheels say of themselves. */
export const infoFolders = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.dist-info'))
    .map((name) => join(folder, name));

/** Whether it is a wheel of a known SHA-256. */
function isReleased(wheel: string): boolean {
  const expected = releasedWheels[basename(wheel)];
  if (expected === undefined) return false;
  if (hash(wheel, 'hex') === expected) return true;
  throw nativeError(
    `The downloaded ${basename(wheel)} is not the file that PyTorch released: its SHA-256 is not ${expected}. ` +
      `Use another package index, ${otherwise}.`,
  );
}

/**
 * RECORD has a line per file: `torch/version.py,sha256=<base64url>,<bytes>`, the name in quotes where it has a comma.
 */
function checkAgainstRecords(folder: string): void {
  const recorded = new Map<string, string[]>();
  for (const info of infoFolders(folder)) {
    for (const [, quoted, plain, digest] of readFileSync(join(info, 'RECORD'), 'utf8').matchAll(
      /^(?:"((?:[^"]|"")*)"|([^,\r\n]+)),sha256=([^,]+),/gm,
    )) {
      const file = quoted?.replaceAll('""', '"') ?? plain;
      recorded.set(file, [...(recorded.get(file) ?? []), digest]);
    }
  }
  if (recorded.size === 0)
    throw nativeError(
      `The downloaded torch records no hashes, so it cannot be trusted. Use another package index, ${otherwise}.`,
    );
  const there = new Set(filesIn(folder).filter((file) => !/^[^/]+\.dist-info\/RECORD$/.test(file)));
  for (const file of there) {
    const digests = recorded.get(file);
    if (digests === undefined)
      throw nativeError(
        `The downloaded torch has a file that its RECORD does not name, ${file}. Use another package ` +
          `index, ${otherwise}.`,
      );
    if (!digests.includes(hash(join(folder, file), 'base64url')))
      throw damaged(file, 'does not have the hash that the wheel records');
  }
  const missing = [...recorded.keys()].find(
    (file) => /^(torch\/(include|lib)\/|torch\/version\.py$|nvidia\/)/.test(file) && !there.has(file),
  );
  if (missing !== undefined) throw damaged(missing, 'is missing, though the wheel records it');
}

const damaged = (file: string, how: string): Error =>
  nativeError(`The downloaded torch is damaged: ${file} ${how}. Run this again.`);

/** All files under a folder, with slashes. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));

/** The SHA-256 of a file, which may be larger than a buffer can be. */
function hash(file: string, encoding: 'hex' | 'base64url'): string {
  const sum = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 22);
  const fd = openSync(file, 'r');
  try {
    for (let read = 0; (read = readSync(fd, buffer)) > 0;) sum.update(buffer.subarray(0, read));
  } finally {
    closeSync(fd);
  }
  return sum.digest(encoding);
}
