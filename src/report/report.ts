import { resolve } from 'node:path';

import { CleanclipError } from '../errors';
import { writeFileWhole } from '../files';
import { packageVersion } from '../paths';
import { plotLibrary } from '../plot/library';
import type { JobHooks } from '../progress';
import { readRunFolders } from '../run/folder';
import { chartsSection } from './charts';
import { contactSection } from './contact_sheet';
import { embeddingsSection } from './embeddings';
import type { Section } from './html';
import { pageOf } from './page';
import { resultsSection } from './results';
import { differencesSection, flagsSection, runsSection, warningsSection } from './runs';

/** Options of `report`: those of `cleanclip report` in camelCase. */
export interface ReportOptions {
  runs: string[];
  output: string;
  title?: string;
  predictions?: string[];
  coordinates?: string[];
  maxImages: number;
}

/** What `report` wrote. */
export interface ReportResult {
  /** absolute path of the page */
  output: string;
  /** names of the runs on it */
  runs: string[];
  /** paths that were given, and are no folders of runs */
  leftOut: string[];
}

/**
 * Writes a page about runs, which needs no network. It appears whole, or an earlier one stays.
 * @throws CleanclipError `ERR_DATA` for a folder that is no run, a file that cannot be used, or a page that cannot be
 * written; `ERR_ABORTED` when the signal aborts it
 */
export async function runReport(options: ReportOptions, { signal, onProgress }: JobHooks = {}): Promise<ReportResult> {
  const { output, predictions = [], coordinates = [], maxImages } = options;
  const { runs, leftOut } = readRunFolders(options.runs);
  const names = runs.map(({ name }) => name);
  const library = await plotLibrary();
  const sections: Section[] = [];
  const steps: (() => Section | undefined | Promise<Section | undefined>)[] = [
    () => runsSection(runs, leftOut),
    () => resultsSection(runs),
    () => chartsSection(runs, library),
    () => contactSection(runs, { files: predictions, maxImages }),
    () => embeddingsSection(coordinates, library),
    () => differencesSection(runs),
    () => flagsSection(runs),
    () => warningsSection(runs),
  ];
  for (const [done, step] of steps.entries()) {
    await new Promise((next) => setImmediate(next)); // lets an abort arrive
    if (signal?.aborted) throw new CleanclipError('The report was stopped; nothing was written.', 'ERR_ABORTED');
    const section = await step();
    if (section !== undefined) sections.push(section);
    onProgress?.({ type: 'progress', done: done + 1, total: steps.length, text: 'sections of the report' });
  }
  const title = options.title ?? `Report on ${names.join(', ')}`;
  writeFileWhole(resolve(output), pageOf({ title, sections, version: packageVersion() }));
  return { output: resolve(output), runs: names, leftOut };
}
