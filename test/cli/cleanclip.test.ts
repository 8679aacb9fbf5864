import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { command } from '../support/command';
import { drawShapes } from '../support/pairs';

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(2);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const poison = (...more: string[]): ReturnType<typeof command>['ended'] =>
  command('cleanclip', ['poison', '--train_data', 'train.csv', '--templates', 'test/classes.json', ...more], folder)
    .ended;

describe('cleanclip poison', () => {
  test('poisons a set, with dashes, underscores and the alias --patch', async () => {
    const { code, stdout } = await poison(
      '--num-backdoor',
      '5',
      '--patch',
      'yellow',
      '--patch_size',
      '8',
      '--image-size',
      '40',
      '--label',
      'banana',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^5 rows are poisoned; the set is .*backdoor_banana_yellow_random_8_24_5\.csv$/m);
    const lines = readFileSync(join(folder, 'backdoor_banana_yellow_random_8_24_5.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1 + 24);
    expect(lines.slice(1, 6).every((line) => /backdoor_images.*banana,1$/.test(line))).toBe(true);
    expect(lines.slice(6).every((line) => line.endsWith(',0'))).toBe(true);
  });

  test.each([
    [['--num_backdoor', '50'], /^cleanclip poison: .*50/],
    [['--num_backdoor', 'x'], /^cleanclip poison: --num_backdoor must be an integer of at least 1, but is 'x'\.$/m],
    [[], /^cleanclip poison: poison needs numBackdoor/],
    [
      ['--num_backdoor', '2', '--patch_type', 'rainbow'],
      /--patch_type must be one of random, yellow, blended, SIG, warped, but is 'rainbow'/,
    ],
    [['--num_backdoor', '2', '--patch_size', '300'], /patch/],
    [['--numbackdoor', '2'], /There is no option --numbackdoor; did you mean --num_backdoor\?/],
  ])('refuses %p with one sentence, and writes nothing', async (flags, message) => {
    const { code, stderr } = await poison(...flags);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(folder, 'backdoor_banana_random_random_16_24_2.csv'))).toBe(false);
  });
});
