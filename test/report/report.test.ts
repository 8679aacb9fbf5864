import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import sharp from 'sharp';

import { wilson } from '../../src/report/wilson';
import { temporaryFolder } from '../data/temporary';
import { command } from '../support/command';
import { trained, writeRun } from '../support/run_folders';

const folder = temporaryFolder();
const report = (...args: string[]): ReturnType<typeof command>['ended'] =>
  command('cleanclip', ['report', ...args], folder).ended;
const page = (name = 'report.html'): string => readFileSync(join(folder, name), 'utf8');
/** The text of a page, without elements. */
const words = (name?: string): string =>
  page(name)
    .replace(/<style>[^]*?<\/style>|<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

beforeAll(() => {
  const params = { name: 'a', model_name: 'tiny', seed: 1, lr: 0.001, batch_size: 64, epochs: 3 };
  writeRun(join(folder, 'logs/a'), { params, records: trained() });
  writeRun(join(folder, 'logs/b'), { params: { ...params, name: 'b', lr: 0.002 }, records: trained(4) });
});

test('one page has flags, results with intervals, curves and differences', async () => {
  const { code, stdout, stderr } = await report('logs/a', 'logs/b', '-o', 'both.html');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe(`${join(folder, 'both.html')} is written, with 2 runs: a, b\n`);
  expect(words('both.html')).toMatch(
    /a tiny 1 64 0\.001 3 of 3 30 2026-01-31 12:00:10 2026-01-31 12:00:11 epoch_10\.pt/,
  );
  const [low, high] = wilson(0.6, 200).map((end) => (100 * end).toFixed(1));
  expect(words('both.html')).toContain(`a, epoch 3 0.6667 60.0 (${low}–${high})`);
  expect(words('both.html')).toMatch(/Flags that differ flag a b --lr 0\.001 0\.002 All flags/);
  expect(page('both.html').match(/<svg [^>]*aria-label="[^"]*"/g)).toHaveLength(5);
  expect(page('both.html')).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
});

test('Wilson intervals are those of the formula', () => {
  expect(wilson(0.5, 10).map((end) => +end.toFixed(4))).toEqual([0.2366, 0.7634]);
  expect(wilson(0, 10)[0]).toBe(0);
  expect(wilson(1, 10)[1]).toBeCloseTo(1, 12);
});

test('text of logs is escaped, in names, flags, warnings and curves', async () => {
  const evil = '<script>alert(1)</script>';
  writeRun(join(folder, 'evil', evil.replace('/', '∕')), {
    params: { name: evil, notes: '"><img src=x onerror=alert(1)>' },
    records: [...trained(), { type: 'train', epoch: 4, step: 40, '<b>_loss': 1, loss: 1 }],
    warnings: [evil, '\u001b[31mred\u0000'],
  });
  const run = join(folder, 'evil', evil.replace('/', '∕'));
  writeFileSync(join(folder, 'evil.csv'), `panel,x,y,group\n${evil},1,2,${evil}\n`);
  const files = ['--coordinates', 'evil.csv'];
  const { code } = await report(run, 'logs/a', ...files, '-o', 'evil.html', '--title', `${evil}&`);
  expect(code).toBe(0);
  expect(page('evil.html')).not.toMatch(/<script|<img|<b>/);
  // eslint-disable-next-line no-control-regex -- no control character may reach the page
  expect(page('evil.html')).not.toMatch(/[\x00-\x08\x1b]/);
  expect(page('evil.html')).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&amp;</title>');
});

test('torn records, missing files and paths that are no runs are named', async () => {
  writeRun(join(folder, 'odd/torn'), { records: trained(), torn: '{"type":"train","ep' });
  mkdirSync(join(folder, 'odd/empty'));
  writeFileSync(join(folder, 'odd/results.json'), '{}');
  const { code, stderr } = await report('odd/torn', 'odd/empty', 'odd/results.json');
  expect(code).toBe(0);
  expect(stderr).toMatch(/odd\/empty is no folder of a run and is left out\.\nodd\/results\.json is no folder/);
  expect(words()).toContain('The run torn has no params.txt; what stands in it is not shown.');
  expect(words()).toContain('In metrics.jsonl of the run torn, 1 line cannot be read.');
  expect(words()).toContain('odd/results.json is no folder of a run and is left out.');
});

test.each([
  [['odd/empty'], /Expected the folder of a run in 'odd\/empty', but it has no params\.txt/],
  [['odd/results.json'], /but it is a file; name the folder of the run/],
  [['logs/a', 'logs/none'], /in 'logs\/none', but there is no such folder/],
  [['logs/a', '--predictions', 'none.csv'], /none\.csv/],
  [['logs/a', '--coordinates', 'logs/a/params.txt'], /no column "panel"/],
  [[], /missing required argument 'logs'/],
  [['logs/a', '--max_images', '0'], /--max_images must be an integer of at least 1/],
  [['logs/a', '--outptu', 'x'], /did you mean --output\?/],
])('refuses %p with a sentence, and writes nothing', async (args, message) => {
  const { code, stderr } = await report(...args, ...(args.length > 0 ? ['-o', 'refused.html'] : []));
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(existsSync(join(folder, 'refused.html'))).toBe(false);
});

test('images stand in the page with their predictions, and other files are refused', async () => {
  const sheet = join(folder, 'logs/b/predictions');
  mkdirSync(sheet);
  await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).toFile(join(sheet, 'one.png'));
  const csv = 'image,class,triggered,before,after\none.png,cat,0,cat,cat\none.png,cat,1,banana,cat\n';
  writeFileSync(join(sheet, 'predictions.csv'), csv);
  expect((await report('logs/b', '-o', 'images.html')).code).toBe(0);
  expect(page('images.html').match(/<img\s+src="data:image\/png;base64,/g)).toHaveLength(2);
  expect(page('images.html')).toContain('alt="cat with the trigger"');
  expect(words('images.html')).toMatch(/before banana ✗ after cat ✓/);

  writeFileSync(join(folder, 'x.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  writeFileSync(join(folder, 'svg.csv'), 'image,class,triggered,m\nx.svg,cat,0,cat\n');
  const { code, stderr } = await report('logs/a', '--predictions', 'svg.csv', '-o', 'refused.html');
  expect([code, existsSync(join(folder, 'refused.html'))]).toEqual([1, false]);
  expect(stderr).toMatch(/Expected a PNG, JPEG, WebP, GIF or TIFF in '.*x\.svg', but it cannot be shown: it is svg\./);
});
