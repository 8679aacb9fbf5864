import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { command } from '../support/command';
import { joined } from '../support/patterns';
import { serveWeights } from '../support/weights_server';

let folder: string;
let server: Awaited<ReturnType<typeof serveWeights>>;
const environment = { ...process.env };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-pretrained-'));
  writeFileSync(join(folder, 'pairs.csv'), 'image,caption\na.png,a\n');
  server = await serveWeights(Buffer.alloc(200_000));
  Object.assign(process.env, {
    CLEANCLIP_CACHE: join(folder, 'cache'),
    HOME: folder,
    CLEANCLIP_WEIGHTS_URL: server.url,
  });
});
afterAll(async () => {
  process.env = environment;
  await server.close();
  rmSync(folder, { recursive: true });
});

test.each([
  [
    'whole',
    joined(
      /^cleanclip-train: OpenAI's weights of ViT-B\/32 could not be downloaded.*/,
      /do not have the SHA-256.*put the file at .*ViT-B-32\.pt\.$/m,
    ),
  ],
  ['not found', /^cleanclip-train: .*answered 404 Not Found.*put the file at/m],
  ['cut', /^cleanclip-train: .*put the file at/m],
] as const)('--pretrained: %s', async (answer, message) => {
  server.answer = answer;
  const { code, stderr } = await command(
    'cleanclip-train',
    ['--pretrained', '--model_name', 'ViT-B/32', '--validation_data', 'pairs.csv'],
    folder,
  ).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(readdirSync(join(folder, 'cache', 'clip'))).toEqual([]);
});

test('--pretrained with --checkpoint is refused', async () => {
  const { code, stderr } = await command(
    'cleanclip-train',
    ['--pretrained', '--checkpoint', 'x.pt', '--validation_data', 'pairs.csv'],
    folder,
  ).ended;
  expect([code, stderr.trim()]).toEqual([
    1,
    "cleanclip-train: --pretrained starts from OpenAI's weights and --checkpoint from those of a file; give one " +
      'of them.',
  ]);
});
