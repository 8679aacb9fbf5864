import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { writeFileWhole } from '../../files';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Draws the id of a run, as W&B does: eight letters and digits. Two runs of one seed have two ids. */
export const newId = (): string => Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** Returns the name of the folder of a run: `offline-run-20261130_211256-abcd1234`. */
export function folderName(id: string, start: number): string {
  const date = new Date(start);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join('');
  return `offline-run-${day}_${time}-${id}`;
}

/** The file in which W&B's Python package, too, keeps the id of the run to resume. */
const memory = (base: string): string => join(base, 'wandb-resume.json');

/** Keeps the id of a run. */
export const rememberId = (base: string, id: string): void =>
  writeFileWhole(memory(base), `${JSON.stringify({ run_id: id })}\n`);

/** Returns the id that was kept, or undefined when there is none. */
export function readId(base: string): string | undefined {
  if (!existsSync(memory(base))) return undefined;
  try {
    const { run_id: id } = JSON.parse(readFileSync(memory(base), 'utf8')) as { run_id?: unknown };
    return typeof id === 'string' && /^[a-z0-9]{1,64}$/i.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
