import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { addonFile, cacheFolder, remedyCommand } from '../paths';
import { findLibtorch, type FoundLibtorch } from './find_libtorch';
import { type AddonFacts, inspectAddon } from './inspect';
import { describeLibtorch } from './libtorch';
import { findPython, pipVersion } from './python';
import { isCurrent, readRecord } from './record';
import { buildTools } from './tools';

/** The result of one check. */
export interface Check {
  readonly name: string;
  /** What was found, in a few words. */
  readonly found: string;
  readonly ok: boolean;
  /** What to do if it is not ok. */
  readonly remedy?: string;
}

/** The report of {@link doctor}. */
export interface Report {
  /** whether every check is ok */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** Checks everything that the addon depends on. It changes nothing and takes about a second. */
export function doctor(): Report {
  const addon = checkAddon();
  const libtorch = checkLibtorch();
  // If the addon works, the tools that only a build needs may be missing.
  const forBuilding = [...buildTools().map(asCheck), ...checkPython(libtorch.ok)].map((check) =>
    addon.every(({ ok }) => ok) && !check.ok
      ? { ...check, found: `${check.found} (only needed to compile)`, ok: true }
      : check,
  );
  const checks = [checkNode(), ...forBuilding, libtorch, ...addon];
  return { ok: checks.every(({ ok }) => ok), checks };
}

/** Formats a report for the terminal: one line per check, with its remedy below. */
export function formatReport({ ok, checks }: Report): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, found, ok: fine, remedy }) => [
    `${fine ? '  ok ' : 'MISS '} ${name.padEnd(width)}  ${found}`,
    ...(fine || !remedy ? [] : [`      ${' '.repeat(width)}  → ${remedy}`]),
  ]);
  return [...lines, '', ok ? 'Everything is in place.' : 'Something is missing: see the arrows.'].join('\n');
}

const checkNode = (): Check => ({
  name: 'Node',
  found: `${process.version}, ${process.platform}-${process.arch}, ${availableParallelism()} processors`,
  ok: true,
});

const asCheck = ({ name, found, remedy }: ReturnType<typeof buildTools>[number]): Check => ({
  name,
  found: found ?? 'not found',
  ok: found !== null,
  remedy,
});

/** Checks Python and pip, which are only needed to download libtorch. */
function checkPython(haveLibtorch: boolean): Check[] {
  const python = findPython();
  const pip = python && pipVersion(python);
  return [
    {
      name: 'Python',
      found: python ? `${python.version} (${python.command})` : 'not found',
      ok: python !== null || haveLibtorch,
      remedy: 'Install python3, or set PYTHON to an interpreter.',
    },
    {
      name: 'pip',
      found: pip ?? 'not found',
      ok: pip !== null || haveLibtorch,
      remedy: 'Install pip (python3 -m ensurepip), or set LIBTORCH to a libtorch folder.',
    },
  ];
}

function checkLibtorch(): Check {
  const name = 'libtorch';
  const remedy = `Run "${remedyCommand}", which fetches it.`;
  try {
    const libtorch = findLibtorch();
    if (!libtorch)
      return { name, found: `not found in LIBTORCH, in ${cacheFolder()} or as a pip package`, ok: false, remedy };
    return { name, found: `${describeLibtorch(libtorch)}, found by ${places[libtorch.source]}`, ok: true };
  } catch (error) {
    return {
      name,
      found: (error as Error).message,
      ok: false,
      remedy: 'Set LIBTORCH to a libtorch folder of version 2.11 to 2.14, or unset it.',
    };
  }
}

const places: Record<FoundLibtorch['source'], string> = {
  LIBTORCH: 'LIBTORCH',
  cache: "the project's cache",
  pip: "Python's torch package",
};

function checkAddon(): Check[] {
  const name = 'addon';
  if (!existsSync(addonFile)) {
    return [{ name, found: `not compiled: no ${addonFile}`, ok: false, remedy: `Run "${remedyCommand}".` }];
  }
  const facts = inspectAddon();
  if (typeof facts === 'string') {
    return [{ name, found: `does not load: ${facts}`, ok: false, remedy: `Run "${remedyCommand} --force".` }];
  }
  return [
    { name, found: `loads; ${describeRecord()}`, ...freshness() },
    { name: 'processor', found: `${facts.capability}, ${facts.threads} threads`, ok: true },
    { name: 'CUDA', found: describeCuda(facts), ok: true },
  ];
}

function describeCuda({ cuda, gpus }: AddonFacts): string {
  if (cuda === null) return `the addon is compiled for the CPU ("${remedyCommand} --cuda" compiles it for GPUs)`;
  return (
    `the addon has CUDA ${cuda.nccl === null ? 'without NCCL' : `and NCCL ${cuda.nccl}`}, and sees ${gpus} ` +
    `GPU${gpus === 1 ? '' : 's'}`
  );
}

function describeRecord(): string {
  const record = readRecord();
  return record
    ? `compiled against libtorch ${describeLibtorch(record.libtorch)}`
    : 'no record of what it was compiled from';
}

/** Whether the addon is current, so that {@link setup} would not build it again. */
function freshness(): Pick<Check, 'ok' | 'remedy'> {
  const record = readRecord();
  const ok = record !== null && isCurrent(record.libtorch);
  return { ok, remedy: `It was not compiled from the sources of this package. Run "${remedyCommand}".` };
}
