import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The flags of a small run on drawShapes' pairs, with a checkpoint every two steps. */
export const flags = (name: string, ...more: string[]): string[] => [
  ...[
    ['--name', name],
    ['--train_data', 'train.csv'],
    ['--model_name', 'model.json'],
    ['--batch_size', '8'],
    ['--epochs', '2'],
  ].flat(),
  ...[
    ['--num_warmup_steps', '2'],
    ['--num_workers', '1'],
    ['--save_every_steps', '2'],
    ['--log_every', '1'],
    ['--distributed_backend', 'gloo'],
  ].flat(),
  ...more,
];

/** The loss of each step of a run, rounded, in the order of its metrics.jsonl. */
export function curve(folder: string, name: string): [step: number, loss: number][] {
  const file = join(folder, 'logs', name, 'metrics.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  const records = lines.map((line) => JSON.parse(line) as { step: number; loss: number });
  return records.map(({ step, loss }) => [step, Math.round(loss * 1e4)]);
}

/** Whether a run has a checkpoint of its last epoch. */
export const finished = (folder: string, name: string): boolean =>
  existsSync(join(folder, 'logs', name, 'checkpoints', 'epoch_2.pt'));
