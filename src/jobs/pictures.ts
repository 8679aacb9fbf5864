import type { PlotInput, ReportInput } from '../options/inputs.gen';
import type { PlotResult } from '../plot/plot';
import type { JobHooks } from '../progress';
import type { ReportResult } from '../report/report';
import { startJob } from './start';

export type { PlotResult } from '../plot/plot';
export type { ReportResult } from '../report/report';

/**
 * Draws embeddings, or the curves of runs (`cleanclip plot`). Embeddings become points by principal components, or by
 * Barnes-Hut t-SNE (van der Maaten 2014). Several files stand side by side.
 * @param input `embeddings` or `runs` is required; `output` without an ending gets an svg, a png and a csv
 * @returns the absolute paths of the files by their form, a sentence about each picture, and the paths that are no runs
 * and were left out
 * @throws CleanclipError `ERR_OPTION` for wrong options; `ERR_DATA` for a file, folder or row that cannot be used, or a
 * picture that cannot be written; `ERR_CHECKPOINT` for a damaged safetensors file; `ERR_ABORTED` when the signal aborts
 * it
 * @example
 * ```ts
 * await plot({ embeddings: ['before.safetensors', 'after.safetensors'], method: 'tsne', output: 'cleansing' });
 * ```
 */
export async function plot(input: PlotInput & JobHooks): Promise<PlotResult> {
  return startJob('plot', input);
}

/**
 * Writes a page about one or several runs (`cleanclip report`): one HTML file without scripts, which loads nothing from
 * the network. It has flags, results with 95% Wilson intervals, curves, images with predictions, and differences.
 * @param input `runs` is required: folders `logs/<name>`, whose files may be torn or missing; `output` is 'report.html'
 * by default, and an earlier file of that name is replaced
 * @returns the absolute path of the page, the names of the runs, and the paths that are no runs and were left out
 * @throws CleanclipError `ERR_OPTION` for wrong options; `ERR_DATA` for a folder that is missing, when none is a run,
 * for a csv or image that cannot be used, or a page that cannot be written; `ERR_ABORTED` when the signal aborts it
 * @example
 * ```ts
 * const { output } = await report({ runs: ['logs/poisoned', 'logs/cleansed'], output: 'report.html' });
 * ```
 */
export async function report(input: ReportInput & JobHooks): Promise<ReportResult> {
  return startJob('report', input);
}
