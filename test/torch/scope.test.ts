import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { type Tensor, torch } from '../../src/torch';

const alive = () => torch.memory().tensors;

describe('tidy', () => {
  test('frees what is made inside', () => {
    const before = torch.memory();
    torch.tidy(() => {
      torch.zeros([100]).add(1);
      expect(alive()).toBe(before.tensors + 2);
      expect(torch.memory().bytes).toBe(before.bytes + 800);
    });
    expect(torch.memory()).toEqual(before);
  });

  test('but not what it returns, at any depth', () => {
    const before = alive();
    const { list, map, set, matrix } = torch.tidy(() => {
      torch.zeros([1]);
      return {
        list: [torch.ones([1]), { deep: [torch.ones([2])] }] as const,
        map: new Map([['key', torch.ones([3])]]),
        set: new Set([torch.ones([4])]),
        matrix: torch.ones([2, 2]).t(),
      };
    });
    expect(alive()).toBe(before + 5);
    const kept = [list[0], list[1].deep[0], map.get('key') as Tensor, ...set, matrix];
    expect(kept.map((tensor) => tensor.shape)).toEqual([[1], [2], [3], [4], [2, 2]]);
    for (const tensor of kept) tensor.dispose();
  });

  test('nests: what the inner one returns belongs to the outer one', () => {
    const before = alive();
    torch.tidy(() => {
      const inner = torch.tidy(() => torch.ones([1]).add(1));
      expect([inner.item(), alive()]).toEqual([2, before + 1]);
    });
    expect(alive()).toBe(before);
  });

  test('frees after a throw, and passes it on', () => {
    const before = alive();
    expect(() =>
      torch.tidy(() => {
        torch.ones([1]);
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(alive()).toBe(before);
    torch.tidy(() =>
      expect(() =>
        torch.tidy(() => {
          throw new Error('inner');
        }),
      ).toThrow('inner'),
    );
    expect(alive()).toBe(before);
  });

  test('refuses a promise and frees what was made', () => {
    const before = alive();
    expect(() => torch.tidy(async () => torch.ones([1]))).toThrow('torch.tidy takes a synchronous function');
    expect(alive()).toBe(before);
  });

  test('keep lets a tensor outlive every scope', () => {
    let kept: Tensor | undefined;
    torch.tidy(() =>
      torch.tidy(() => {
        kept = torch.keep(torch.ones([1]));
      }),
    );
    expect(kept?.item()).toBe(1);
    kept?.dispose();
  });

  test('leaves alone what was made before, and what is disposed inside', () => {
    const outside = torch.ones([1]);
    torch.tidy(() => {
      torch.ones([1]).dispose();
      outside.add_(1);
      return outside;
    });
    expect(outside.item()).toBe(2);
  });

  test('frees tensors that come in lists, and gradients', () => {
    const before = alive();
    torch.tidy(() => {
      torch.ones([4]).split(1);
      const x = torch.ones([1], { requiresGrad: true });
      x.mul(2).backward();
      expect(x.grad?.item()).toBe(2);
    });
    expect(alive()).toBe(before);
  });
});

describe('dispose', () => {
  test('frees at once; a second time does nothing', () => {
    const before = torch.memory();
    const tensor = torch.zeros([1000]);
    tensor.dispose();
    tensor.dispose();
    expect(torch.memory()).toEqual(before);
  });

  test('use afterwards is an error, even when the slot is taken again', () => {
    const tensor = torch.zeros([1]);
    tensor.dispose();
    const message = 'This tensor was disposed, or freed at the end of its torch.tidy';
    for (const use of [
      () => tensor.shape,
      () => tensor.add(1),
      () => torch.cat([tensor]),
      () => tensor.backward(),
      () => tensor.grad,
      () => torch.share(tensor),
    ]) {
      expect(use).toThrow(message);
    }
    torch.tidy(() => {
      torch.ones([1]);
      expect(() => tensor.item()).toThrow(message);
    });
  });

  test('a shared storage lives as long as a tensor of it', () => {
    const base = torch.ones([4]);
    const view = base.slice(0, 1, 3);
    const { bytes } = torch.memory();
    base.dispose();
    expect([view.toArray(), torch.memory().bytes]).toEqual([[1, 1], bytes]);
    view.dispose();
  });

  test('is what `using` calls', () => {
    const tensor = torch.zeros([1]);
    tensor[Symbol.dispose]();
    expect(() => tensor.shape).toThrow('disposed');
  });
});

describe('memory', () => {
  test('counts a storage once', () => {
    const before = torch.memory();
    torch.tidy(() => {
      const base = torch.zeros([10]);
      base.view([2, 5]);
      expect(torch.memory()).toEqual({ tensors: before.tensors + 2, bytes: before.bytes + 40 });
    });
  });

  test('tensors outside every scope are collected', () => {
    const script = `
      const { torch } = require(${JSON.stringify(join(__dirname, '../../dist/torch'))});
      const tick = () => new Promise((done) => setImmediate(done));
      (async () => {
        for (let i = 0; i < 50; i++) torch.zeros([1 << 18]);
        const kept = torch.ones([1]);
        const held = torch.memory();
        for (let i = 0; i < 20 && torch.memory().tensors > 1; i++) { gc(); await tick(); }
        const external = process.memoryUsage().external;
        // V8 is told of native memory, so it collects in time without being asked.
        for (let i = 0; i < 400; i++) { torch.zeros([1 << 20]); await tick(); }
        const { rss } = process.memoryUsage();
        console.log(JSON.stringify({ held, most: torch.memory(), kept: kept.item(), external, rss }));
      })();`;
    const run = spawnSync(process.execPath, ['--expose-gc', '-e', script], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    const { held, most, kept, external, rss } = JSON.parse(run.stdout) as Record<string, never>;
    expect(held).toEqual({ tensors: 51, bytes: 50 * 2 ** 20 + 4 });
    expect(kept).toBe(1);
    expect(external).toBeLessThan(20 * 2 ** 20);
    expect((most as { bytes: number }).bytes).toBeLessThan(800 * 2 ** 20);
    expect(rss).toBeLessThan(1.2 * 2 ** 30);
  });
});
