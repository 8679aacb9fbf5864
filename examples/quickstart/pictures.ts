import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from 'cleanclip';

import type { Prepared } from './prepare';
import { target, trigger } from './settings';

/** Classes that the picture shows beside the target. */
const OTHERS = 5;

/**
 * Draws where the poisoned model and the cleansed one put the held-out pictures of some classes, with and without the
 * trigger: t-SNE of the image embeddings, side by side. It writes embeddings.svg, .png and .csv.
 * @param checkpoints the poisoned model and the cleansed one
 * @returns the csv of coordinates, for a report
 */
export async function drawEmbeddings(
  checkpoints: readonly [string, string],
  { test, classes }: Prepared,
  { out, seed }: { out: string; seed: number },
  quiet: cc.JobHooks,
): Promise<string> {
  const embeddings = ['poisoned', 'cleanclip'].map((name) => join(out, `${name}.safetensors`));
  for (const [i, output] of embeddings.entries()) {
    const attack = { addBackdoor: true, label: target, ...trigger, seed };
    await cc.embed({ checkpoint: checkpoints[i], evalTestDataDir: test, ...attack, output, ...quiet });
  }
  const names = (JSON.parse(readFileSync(classes, 'utf8')) as { classes: string[] }).classes;
  const shown = [target, ...names.filter((name) => name !== target).slice(0, OTHERS)];
  const output = join(out, 'embeddings');
  const titles = ['poisoned', 'after CleanCLIP'];
  await cc.plot({ embeddings, titles, method: 'tsne', classes: shown, output, seed, ...quiet });
  return `${output}.csv`;
}
