import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'cleanclip-types-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the compiler says to a user's file that imports the built library. */
function complaints(source: string): string[] {
  const file = join(folder, 'use.ts');
  const library = JSON.stringify(join(root, 'dist/torch'));
  writeFileSync(file, `import { torch, type Tensor } from ${library};\ndeclare const a: Tensor;\n${source}`);
  const flags = [
    '--noEmit',
    '--strict',
    '--target',
    'ES2022',
    '--lib',
    'ES2023,ESNext.Disposable',
    '--module',
    'CommonJS',
    '--moduleResolution',
    'Node10',
    '--typeRoots',
    join(root, 'node_modules/@types'),
    '--types',
    'node',
  ];
  const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/lib/tsc.js'), ...flags, file], {
    encoding: 'utf8',
  });
  return stdout.split('\n').filter(Boolean);
}

test('what works at run time has types, and what does not has none', () => {
  expect(
    complaints(`
    const sums: Tensor[] = [
      ...[a.sum(), a.sum([0]), a.sum([0], true), a.sum({ dim: [0], keepdim: true })],
      ...[torch.sum(a, { dim: 0 }), a.sum({ dtype: 'float64' }), torch.sum(a, 0)],
    ];
    const same: Tensor = torch.add(a, a).add(1).add(2n, { alpha: 2 }).add_(a);
    const [values, indices]: [Tensor, Tensor] = a.max(1, true);
    const largest: Tensor = a.max();
    const parts: Tensor[] = a.split(2, 1);
    const size: number = a.size(0);
    const equal: boolean = torch.equal(a, a);
    const bounded: Tensor = a.clamp(null, 3).clamp({ max: 2 }).clamp(a, null);
    const chosen: Tensor = torch.where(a.gt(0), a, 0);
    const places: Tensor[] = torch.where(a);
    const picked: Tensor = a.index([null, a]);
    const pooled: Tensor = torch.max_pool2d(a, 2).contiguous({ memory_format: 'channels_last' });
    const out: Tensor = torch.add(a, a, { out: a });
    const moved: Tensor = a.to('float32').to('cuda:0').to({ dtype: 'int64', device: 'cpu' });
    const resized: Tensor = torch.ops.aten._upsample_bicubic2d_aa(a, [2, 2], false);
    const made: Tensor = torch.randn([2, 3], { generator: new torch.Generator(1), requiresGrad: true });
    const gradient: Tensor | null = made.grad;
    const nothing: void = torch._foreach_add_([a], 1);
    { using scoped = torch.zeros([1]); scoped.add_(1); }
    // @ts-expect-error -- a wrong argument
    a.add('1');
    // @ts-expect-error -- an unknown keyword
    a.sum({ axis: 1 });
    // @ts-expect-error -- an unknown operator
    torch.nothing(a);
    // @ts-expect-error -- a refused operator
    torch._stack([a]);
    // @ts-expect-error -- an unknown dtype
    a.to('float');
    // @ts-expect-error -- a result of another type
    const wrong: number = a.sum();
    export { wrong, sums, same, values, indices, largest, parts, size, equal, bounded };
    export { chosen, places, picked, pooled, out, moved, resized, gradient, nothing };
  `),
  ).toEqual([]);
});

test('the committed types are those of the libtorch in use, where that is the pinned one', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/generate.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect({ status, stderr, checked: stdout === '' || stdout.includes('nothing to check') }).toEqual({
    status: 0,
    stderr: '',
    checked: true,
  });
});
