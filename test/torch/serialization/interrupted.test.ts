import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { removeLeftovers } from '../../../src/files';
import { type Tensor, torch } from '../../../src/torch';

const saver = join(__dirname, 'saver.js');
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-interrupted-'));
  path = join(folder, 'x.pt');
});
afterEach(() => rmSync(folder, { recursive: true }));

const ways = ['save', 'saveAsync'];

test.each(ways.flatMap((how) => [0.1, 0.5, 0.9].map((share) => [how, share] as const)))(
  'a process that is killed when torch.%s has done %d leaves the earlier file or the new one, whole',
  async (how, share) => {
    const child = spawn(process.execPath, [saver, how, path, '200'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    const [milliseconds] = (await once(child.stdout, 'data')) as [Buffer];
    await wait(share * parseFloat(milliseconds.toString()));
    child.kill('SIGKILL');
    await ended;
    torch.tidy(() => {
      const { value, w } = torch.load(path) as Record<string, Tensor>;
      expect([w.numel(), w.min().item(), w.max().item()]).toEqual([3_000_000, value.item(), value.item()]);
    });
    removeLeftovers(folder);
    expect(readdirSync(folder)).toEqual(['x.pt']);
  },
);

test.each(ways.flatMap((how) => ['x.pt', 'x.safetensors'].map((name) => [how, name] as const)))(
  'torch.%s to %s on a full disk is refused in a sentence, and the earlier file stays',
  (how, name) => {
    path = join(folder, name);
    torch.save({ w: torch.tensor([5]) }, path);
    // A limit to the size of files stands for the full disk.
    const limited = ['-c', 'ulimit -f 5000; exec "$0" "$@"', process.execPath];
    const { stdout } = spawnSync('bash', [...limited, saver, how, path, '1'], { encoding: 'utf8' });
    expect(stdout).toMatch(/^ERR_CHECKPOINT: '.*' cannot be written: file too large \(EFBIG\)\.\n$/);
    expect((torch.load(path) as { w: Tensor }).w.toArray()).toEqual([5]);
    expect(readdirSync(folder)).toEqual([name]);
  },
);
