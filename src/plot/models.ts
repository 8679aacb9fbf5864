import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';

import { runEmbed } from '../embeddings/embed';
import type { PlotOptions } from '../options/plot';
import type { JobHooks } from '../progress';

/**
 * Embeds the set that the options name with each of their models, into files that are removed afterwards.
 * @param draw receives the files, and the titles of their pictures
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
    return await draw(files, models.map(titleOf));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The name of the run that a checkpoint is of, or else that of its file. */
function titleOf(checkpoint: string): string {
  const folder = dirname(resolve(checkpoint));
  return basename(folder) === 'checkpoints' ? basename(dirname(folder)) : basename(checkpoint, extname(checkpoint));
}
