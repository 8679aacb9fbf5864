import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What {@link writeRun} writes. */
export interface RunFiles {
  params?: Record<string, string | number>;
  records?: Record<string, unknown>[];
  warnings?: string[];
  /** text after the last record, such as a torn line */
  torn?: string;
}

/** Records of a training with an evaluation after each of three epochs. */
export const trained = (loss = 3): Record<string, unknown>[] =>
  [1, 2, 3].flatMap((epoch) => [
    { type: 'train', epoch, step: 10 * epoch - 5, loss: loss / epoch, contrastive_loss: loss / epoch, lr: 0.001 },
    { type: 'train', epoch, step: 10 * epoch, loss: loss / (epoch + 0.5), contrastive_loss: loss / (epoch + 0.5) },
    {
      ...{ type: 'evaluation', epoch, step: 10 * epoch, loss: 2 / epoch, set: 'sets/test', images: 200 },
      ...{ zeroshot_top1: 0.2 * epoch, zeroshot_top3: 0.25 * epoch, asr_top1: 0.9 - 0.1 * epoch },
      ...{ triggered_zeroshot_top1: 0.1, triggered_images: 180 },
    },
  ]);

/** Writes the folder of a run as a training leaves it. */
export function writeRun(folder: string, { params, records, warnings = [], torn = '' }: RunFiles): string {
  mkdirSync(join(folder, 'checkpoints'), { recursive: true });
  writeFileSync(join(folder, 'checkpoints', 'epoch_10.pt'), '');
  writeFileSync(join(folder, 'checkpoints', 'epoch_9.pt'), '');
  if (params !== undefined) {
    const lines = Object.entries(params).map(([name, value]) => `${name}: ${value}\n`);
    writeFileSync(join(folder, 'params.txt'), lines.join(''));
  }
  if (records !== undefined)
    writeFileSync(
      join(folder, 'metrics.jsonl'),
      records.map((record) => `${JSON.stringify(record)}\n`).join('') + torn,
    );
  const lines = ['INFO | Using cpu device, fp32', ...warnings.map((text) => `WARNING | ${text}`), 'INFO | end'];
  writeFileSync(join(folder, 'output.log'), lines.map((line, i) => `2026-01-31,12:00:${10 + i} | ${line}\n`).join(''));
  return folder;
}
