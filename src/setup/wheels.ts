import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';

import { nativeError } from './libtorch';
import type { Python } from './python';
import { run } from './run';

/** The alternative to a download, for error messages. */
export const otherwise = 'or set LIBTORCH to a libtorch folder of version 2.11 to 2.14';

/** The SHA-256 of wheels that PyTorch has released, by file name. */
export const releasedWheels: Record<string, string> = {
  'torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl':
    '6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b',
};

/**
 * Checks wheels, extracts libtorch and NVIDIA's packages from them, and deletes the wheels. A wheel named in {@link
 * releasedWheels} must have the SHA-256 given there. For any other wheel the index is trusted, which `log` reports.
 * Every extracted file must have the SHA-256 that the wheel's RECORD names.
 * @throws CleanclipError `ERR_NATIVE` when a wheel cannot be unpacked or fails a check
 */
export function unpack(python: Python, wheels: readonly string[], folder: string, log: (line: string) => void): void {
  const unknown = wheels.filter((wheel) => !isReleased(wheel)).map((wheel) => basename(wheel));
  if (unknown.length > 0)
    log(
      `No SHA-256 of ${unknown.join(', ')} is known: the download is only checked against its own RECORD, so ` +
        "pip's index is trusted.",
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

/** The metadata folders (`*.dist-info`) of the wheels that were unpacked into a folder. */
export const infoFolders = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.dist-info'))
    .map((name) => join(folder, name));

/** Whether a wheel has a known SHA-256. Throws if its content does not match. */
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
 * Checks the files of a folder against the wheels' RECORD, which has one line per file:
 * `torch/version.py,sha256=<base64url>,<bytes>`. A name with a comma is in quotes.
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

/** The paths of all files under a folder, relative to it, with slashes. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));

/** The SHA-256 of a file. The file is read in parts, because it may be larger than the largest buffer. */
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
