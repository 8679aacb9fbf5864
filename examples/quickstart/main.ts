import { join } from 'node:path';

import { Command, InvalidArgumentError } from 'commander';

import { runCommand } from './command';
import { runQuickstart } from './run';

const { seed, small, out, data } = new Command('quickstart')
  .description('Poison, train, attack and cleanse a small CLIP on rendered pictures; prints a table of what came out.')
  .option('--seed <n>', 'which artists are held out, the poison, the first weights', wholeNumber, 1)
  .option('--small', 'the two-minute form: fewer concepts, pictures and steps', false)
  .option('--out <folder>', 'where checkpoints, results.json and the contact sheet go', join('logs', 'quickstart'))
  .option('--data <folder>', 'where the pictures go (default: quickstart-data/<seed>)')
  .parse()
  .opts<{ seed: number; small: boolean; out: string; data?: string }>();

const folder = data ?? join('quickstart-data', small ? `${seed}-small` : `${seed}`);
void runCommand((hooks) => runQuickstart({ seed, small, out, data: folder }, hooks));

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('Expected an integer, at least 0.');
}
