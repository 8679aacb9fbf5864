import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { addonFile, packageRoot, recordFile } from '../paths';
import type { Libtorch } from './libtorch';

/** What the addon was built from. The record lies beside the addon; while it is current, nothing has to be built. */
export interface BuildRecord {
  readonly libtorch: Libtorch;
  /**
   * Node's platform and architecture, such as `linux-x64`. Node's version does not matter: the addon uses Node-API 9.
   */
  readonly platform: string;
  /** SHA-256 of CMakeLists.txt and everything under native/. */
  readonly sources: string;
}

/** Node's platform and architecture, such as `linux-x64`. */
export const platform = `${process.platform}-${process.arch}`;

/**
 * The record of the existing addon; null when there is no addon, or no complete record, as after an interrupted build.
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

/** Whether the existing addon is the one that would be built now. */
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
