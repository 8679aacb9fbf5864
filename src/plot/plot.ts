import { stringify } from 'csv-stringify/sync';

import { CleanclipError, dataError, shown } from '../errors';
import { checkWritable, writeFileWhole } from '../files';
import type { PlotOptions } from '../options/plot';
import type { JobHooks } from '../progress';
import { readRunFolders } from '../run/folder';
import { type Tensor, torch } from '../torch';
import { light } from './colours';
import { type Coordinate, panelsOf, writeCoordinates } from './coordinates';
import { curvesOf } from './curves';
import { type EmbeddingsFile, openEmbeddings, pick, titleOf } from './embeddings_file';
import { figure, groupEntry, runEntry } from './figure';
import { type Groups, type Member, membersOf, readDetected } from './groups';
import { plotLibrary } from './library';
import { describe, drawLines } from './line_chart';
import { withEmbeddings } from './models';
import { outputsOf, writeFigure } from './output';
import { pca } from './pca';
import { describeScatter, drawScatter } from './scatter';
import { tsne } from './tsne';

/** What `plot` wrote. */
export interface PlotResult {
  /** absolute paths of the files, by their form */
  files: { svg?: string; png?: string; csv?: string };
  /** what each picture shows, in a sentence */
  descriptions: string[];
  /** paths that were given, and are no folders of runs */
  leftOut: string[];
}

/**
 * Draws embeddings, or the curves of runs.
 * @throws CleanclipError `ERR_DATA` for a file or folder that cannot be used, or a picture that cannot be written;
 * `ERR_CHECKPOINT` for a damaged safetensors file; `ERR_ABORTED` when the signal aborts it
 */
export async function runPlot(options: PlotOptions, hooks: JobHooks = {}): Promise<PlotResult> {
  if (options.runs !== undefined) return plotCurves(options);
  if (options.embeddings !== undefined) return plotEmbeddings(options, options.embeddings, hooks);
  for (const file of Object.values(outputsOf(options.output))) checkWritable(file);
  return withEmbeddings(options, hooks, (embeddings, titles) =>
    plotEmbeddings({ ...options, titles: options.titles ?? titles }, embeddings, hooks),
  );
}

async function plotCurves({ runs: folders = [], output }: PlotOptions): Promise<PlotResult> {
  const { runs, leftOut } = readRunFolders(folders);
  const charts = curvesOf(runs);
  if (charts.length === 0)
    throw dataError(
      `Expected losses or accuracies of two steps in metrics.jsonl of '${shown(folders[0])}', but none has.`,
    );
  const library = await plotLibrary();
  const size = { width: 480, height: 300 };
  const panels = charts.map((chart) => ({
    title: chart.title,
    description: describe(chart),
    svg: drawLines(library, chart, light, size),
  }));
  const files = outputsOf(output);
  const legend = runs.length > 1 ? runs.map(({ name }, i) => runEntry(name, i)) : [];
  await writeFigure(figure(panels, legend, size, 2), files);
  if (files.csv !== undefined) {
    const rows = charts.flatMap(({ title, series }) =>
      series.flatMap(({ name, points }) => points.map(([step, value]) => [name, title, step, value])),
    );
    writeFileWhole(files.csv, stringify([['run', 'metric', 'step', 'value'], ...rows]));
  }
  return { files, descriptions: panels.map(({ description }) => description), leftOut };
}

async function plotEmbeddings(options: PlotOptions, paths: readonly string[], hooks: JobHooks): Promise<PlotResult> {
  const groups: Groups = new Map();
  const rows: (Omit<Coordinate, 'group'> & { group: string })[] = [];
  const titles = distinct(options.titles ?? paths.map(titleOf));
  for (const [i, path] of paths.entries()) {
    const panel = titles[i];
    rows.push(...(await place(path, options, groups, hooks)).map((row) => ({ ...row, panel })));
  }
  const names = [...groups.keys()];
  const list = [...groups.values()];
  const coordinates = rows.map((row): Coordinate => ({ ...row, group: names.indexOf(row.group) }));
  const library = await plotLibrary();
  const size = { width: 440, height: 440 };
  const scatters = panelsOf(list, coordinates);
  const panels = scatters.map((scatter) => ({
    title: scatter.title,
    description: describeScatter(scatter),
    svg: drawScatter(library, scatter, light, size),
  }));
  const files = outputsOf(options.output);
  await writeFigure(figure(panels, list.map(groupEntry), size, 2), files);
  if (files.csv !== undefined) writeCoordinates(files.csv, list, coordinates);
  return { files, descriptions: panels.map(({ description }) => description), leftOut: [] };
}

/** Numbers equal titles, since a title names a picture: a, b, a → a, b, a (2). */
const distinct = (titles: readonly string[]): string[] =>
  titles.map((title, i) => {
    const before = titles.slice(0, i).filter((other) => other === title).length;
    return before === 0 ? title : `${title} (${before + 1})`;
  });

/** Computes the points of one file. */
async function place(
  path: string,
  options: PlotOptions,
  groups: Groups,
  hooks: JobHooks,
): Promise<(Omit<Coordinate, 'group' | 'panel'> & { group: string })[]> {
  const file = openEmbeddings(path);
  const detected = options.detected === undefined ? undefined : await readDetected(options.detected, file);
  const { classes, maxPoints, seed } = options;
  const members = membersOf(file, { detected, classes, maxPoints, seed }, groups);
  const vectors = vectorsOf(file, members, options.of);
  const points = await project(vectors, options, hooks);
  vectors.dispose();
  for (const tensor of [file.images, file.triggered, file.texts]) tensor?.dispose();
  return members.map(({ row, group }, i) => ({
    ...{ row: file.rows[row], group, x: points[2 * i], y: points[2 * i + 1] },
    image: file.paths?.[row] ?? '',
  }));
}

/** Returns the embeddings of the members, float32 [members, D]. */
function vectorsOf({ path, images, triggered, texts }: EmbeddingsFile, members: Member[], of: string): Tensor {
  if (of === 'texts' && texts === undefined)
    throw dataError(`'${shown(path)}' has no text_embeddings of pairs; draw --of images, or embed pairs.`);
  const rowsOf = (isTriggered: boolean): number[] =>
    members.flatMap(({ row, triggered: is }) => (is === isTriggered ? [row] : []));
  return torch.tidy(() => {
    const clean = pick(of === 'texts' ? texts! : images, rowsOf(false));
    const copies = rowsOf(true);
    return torch.keep(copies.length === 0 ? clean : torch.cat([clean, pick(triggered!, copies)]));
  });
}

async function project(vectors: Tensor, options: PlotOptions, { signal, onProgress }: JobHooks): Promise<Float64Array> {
  const { method, perplexity, iterations, seed } = options;
  if (method === 'pca') return pca(vectors);
  const [count] = vectors.shape;
  if (perplexity >= count)
    throw dataError(`--perplexity is ${perplexity}, but the picture has ${count} points: expected fewer than those.`);
  return tsne(vectors, {
    ...{ perplexity, iterations, seed },
    onStep: async (done, total, text) => {
      onProgress?.({ type: 'progress', done, total, text });
      await new Promise((next) => setImmediate(next)); // lets an abort arrive
      if (signal?.aborted) throw new CleanclipError('The plot was stopped; nothing was written.', 'ERR_ABORTED');
    },
  });
}
