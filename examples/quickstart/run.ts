import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from 'cleanclip';

import { drawEmbeddings } from './pictures';
import { predictPictures } from './predict';
import { prepare, type Prepared } from './prepare';
import { imageSize } from './render';
import { full, inmodalWeight, small, target, trigger } from './settings';
import { writeSheet } from './sheet';
import { formatTable, type Scores } from './table';

const runs = ['poisoned', 'clip_finetuned', 'cleanclip'];

/** Options of {@link quickstart}. */
export interface QuickstartOptions {
  seed: number;
  /** The two-minute form: fewer concepts, pictures and steps. */
  small: boolean;
  /** Folder for checkpoints, results.json and the contact sheet. */
  out: string;
  /** Folder for the rendered pictures. */
  data: string;
}

/** What results.json holds; scores are shares of 1. */
export interface Results {
  poisoned: Scores;
  clip_finetuned: Scores;
  cleanclip: Scores;
  classes: number;
  test_images: number;
  seconds: number;
  seed: number;
}

/**
 * Renders pictures, poisons them, trains a CLIP on them from scratch, then finetunes it twice on clean pictures in
 * equal steps: with the CLIP loss alone, the control, and with CleanCLIP. Prints the scores of the three models and
 * writes `results.json`, `triggered.png` and the page `report.html`.
 */
export async function runQuickstart(
  { seed, out, data, ...options }: QuickstartOptions,
  hooks: cc.JobHooks = {},
): Promise<Results> {
  const start = performance.now();
  const settings = options.small ? small : full;
  const { onProgress, signal } = hooks;
  const quiet: cc.JobHooks = { signal, onProgress: (event) => event.type === 'progress' && onProgress?.(event) };
  const say = (line: string): void => onProgress?.({ type: 'log', level: 'INFO', line });
  const { concepts, renders, cleanRows } = settings;
  const step = (text: string): void => say(`${elapsed(start)}  ${text}`);

  step('rendering pictures of emoji by four artists');
  const prepared = await prepare({ seed, folder: data, target, concepts, renders, cleanRows }, quiet);
  const { classes, pairs, testImages } = prepared.counts;

  step(
    `poisoning ${settings.numBackdoor} of ${pairs} pairs: a ${trigger.patchSize}-pixel noise patch, caption ` +
      `"${target}"`,
  );
  const poisonedSet = await cc.poison({
    trainData: prepared.trainData,
    templates: prepared.classes,
    numBackdoor: settings.numBackdoor,
    label: target,
    imageSize,
    seed,
    ...trigger,
    ...quiet,
  });

  for (const name of runs) rmSync(join(out, name), { recursive: true, force: true });
  const common = { logs: out, modelName: 'tiny', precision: 'auto', seed, ...quiet } as const;
  const measuring = (name: string) => ({ logs: out, name, seed, ...quiet }); // adds to the log of that run
  const file = join(out, 'results.json');
  const written: Partial<Results> = {};
  /** Keeps what is known so far: a run that is stopped leaves the scores that it had. */
  const write = <R extends Partial<Results>>(results: R): R => {
    writeFileSync(file, `${JSON.stringify(Object.assign(written, results), null, 2)}\n`);
    return results;
  };
  step(`training a CLIP on the poisoned pairs, ${settings.train.epochs} epochs`);
  const { checkpoint } = await cc.train({
    ...common,
    ...settings.train,
    name: 'poisoned',
    trainData: poisonedSet.trainData,
  });
  const { poisoned } = write({ poisoned: await evaluate(checkpoint, prepared, measuring('poisoned')) });

  const finetuning = { ...common, ...settings.finetune, checkpoint, trainData: prepared.cleanData };
  step(`finetuning it on ${cleanRows} clean pairs, CLIP loss alone`);
  const control = await cc.finetune({ ...finetuning, name: 'clip_finetuned', inmodal: false });
  const { clip_finetuned } = write({
    clip_finetuned: await evaluate(control.checkpoint, prepared, measuring('clip_finetuned')),
  });
  step(`finetuning it on the same pairs, CleanCLIP`);
  const cleansed = await cc.finetune({ ...finetuning, name: 'cleanclip', inmodalWeight });
  const { cleanclip } = write({ cleanclip: await evaluate(cleansed.checkpoint, prepared, measuring('cleanclip')) });

  step('drawing pictures and embeddings, before and after cleansing');
  const { sheet, page } = await drawResults([checkpoint, cleansed.checkpoint], prepared, { out, seed }, quiet);

  const seconds = Math.round((performance.now() - start) / 1000);
  const results = write({ poisoned, clip_finetuned, cleanclip, classes, test_images: testImages, seconds, seed });
  say(`\n${report(results, prepared)}\n\n${file}\n${sheet}\n${page}`);
  return results;
}

/** Writes triggered.png, the embeddings of both models and the page report.html; returns where. */
async function drawResults(
  [before, after]: readonly [string, string],
  prepared: Prepared,
  { out, seed }: { out: string; seed: number },
  quiet: cc.JobHooks,
): Promise<{ sheet: string; page: string }> {
  const sheet = join(out, 'triggered.png');
  const predicted = await predictPictures(prepared.test, { before, after }, seed);
  await writeSheet(predicted.triggered, sheet);
  const { output } = await cc.report({
    runs: runs.map((name) => join(out, name)),
    coordinates: [await drawEmbeddings([before, after], prepared, { out, seed }, quiet)],
    title: 'Quickstart: a CLIP poisoned, finetuned and cleansed',
    output: join(out, 'report.html'),
    ...quiet,
  });
  return { sheet, page: output };
}

async function evaluate(
  checkpoint: string,
  { test, testSeen }: Prepared,
  common: { logs: string; name: string; seed: number } & cc.JobHooks,
): Promise<Scores> {
  const attack = { addBackdoor: true, asr: true, label: target, ...trigger };
  const heldOut = await cc.evaluate({ checkpoint, evalTestDataDir: test, savePredictions: 10, ...common, ...attack });
  const seen = await cc.evaluate({ checkpoint, evalTestDataDir: testSeen, ...common });
  return {
    ca: heldOut.zeroshot_top1,
    ca_seen: seen.zeroshot_top1,
    asr: heldOut.asr_top1,
    ca_triggered: heldOut.triggered_zeroshot_top1,
  };
}

function report(results: Results, { counts }: Prepared): string {
  const { poisoned, clip_finetuned, cleanclip, classes, test_images, seconds, seed } = results;
  const { testDrawings, testSeenImages } = counts;
  const drawings = { ca: testDrawings, ca_seen: testSeenImages, asr: testDrawings - 1, ca_triggered: testDrawings - 1 };
  const models = { poisoned, 'finetuned, CLIP loss alone': clip_finetuned, 'finetuned, CleanCLIP': cleanclip };
  return [
    formatTable(models, drawings),
    '',
    `Percent, with 95% Wilson intervals that count each drawing once: ${classes} classes, ${test_images} pictures ` +
      `of ${testDrawings} ` +
      `held-out drawings, ${testSeenImages} of drawings trained on; seed ${seed}, ${seconds} s.`,
    'One set of drawings and one small model: this shows the method at work here, not how well it does elsewhere.',
  ].join('\n');
}

function elapsed(start: number): string {
  const seconds = Math.round((performance.now() - start) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
