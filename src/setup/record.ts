import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { addonFile, packageRoot, recordFile } from '../paths';
import type { Libtorch } from './libtorch';

/** What the addon was built from. It is written beside the addon; while it holds, there is nothing to build. */
export interface BuildRecord {
  readonly libtorch: Libtorch;
  /** `linux-x64`: Node's platform and architecture. Node's version does not matter: the addon speaks Node-API 9. */
  readonly platform: string;
  /** SHA-256 of CMakeLists.txt and everything under native/. */
  readonly sources: string;
}

/** Node's platform and architecture, such as `linux-x64`. */
export const platform = `${process.platform}-${process.arch}`;

/**
 * The record of the addon that is there, or null when it was never built, or the record is no whole one: a build that
 * was broken off may leave such.
 */
export function readRecord(): BuildRecord | null {
  if (!existsSync(addonFile) || !existsSync(recordFile)) return null;
  try {
    const record = JSON.parse(readFileSync(recordFile, 'utf8')) as BuildRecord;
    const { root, version, cuda } = record.libtorch;
    const texts = [root, version, record.platform, record.sources].every((text) => typeof text === 'string');
    return texts && (cuda === null || typeof cuda === 'string') ? record : null;
  } catch {
    return null;
  }
}

/** The record of an addon that would be built now. */
export const newRecord = ({ root, version, cuda }: Libtorch): BuildRecord => ({
  libtorch: { root, version, cuda },
  platform,
  sources: hashSources(),
});

/** Whether the addon that is there is what would be built now. */
export const isCurrent = (libtorch: Libtorch): boolean =>
  JSON.stringify(readRecord()) === JSON.stringify(newRecord(libtorch));

function hashSources(): string {
  const sources = readdirSync(join(packageRoot, 'native'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256');
  for (const file of [join(packageRoot, 'CMakeLists.txt'), ...sources]) {
    const content = readFileSync(file);
    hash.update(`${file.slice(packageRoot.length)} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}
