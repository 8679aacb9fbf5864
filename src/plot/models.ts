import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';

import { runEmbed } from '../embeddings/embed';
import type { PlotOptions } from '../options/plot';
import type { JobHooks } from '../progress';

/**
 * Embeds the set that the options name with each of their models, into files that are removed afterwards.
 * @param draw receives the files, and titles of their pictures
 */
export async function withEmbeddings<R>(
  options: PlotOptions,
  hooks: JobHooks,
  draw: (embeddings: string[], titles: string[]) => Promise<R>,
): Promise<R> {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-plot-'));
  try {
    const models = options.checkpoint ?? [];
    const files: string[] = [];
    for (const [i, checkpoint] of models.entries()) {
      const output = join(folder, `${i}.safetensors`);
      files.push((await runEmbed({ ...options, checkpoint, pretrained: false, output }, hooks)).output);
    }
    return await draw(files, titlesOf(models));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The name of the run that each checkpoint is of; that of its file too where a run has several, or has none. */
function titlesOf(checkpoints: readonly string[]): string[] {
  const runs = checkpoints.map((checkpoint) => {
    const folder = dirname(resolve(checkpoint));
    return basename(folder) === 'checkpoints' ? basename(dirname(folder)) : undefined;
  });
  return checkpoints.map((checkpoint, i) => {
    const file = basename(checkpoint, extname(checkpoint));
    if (runs[i] === undefined) return file;
    return runs.filter((run) => run === runs[i]).length > 1 ? `${runs[i]}, ${file}` : runs[i];
  });
}
