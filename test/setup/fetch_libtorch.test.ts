import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';

import { cudaObstacle } from '../../src/setup/cuda';
import { fetchCudaLibtorch, fetchLibtorch } from '../../src/setup/fetch_libtorch';
import { findLibtorch } from '../../src/setup/find_libtorch';
import { releasedWheels } from '../../src/setup/wheels';
import { joined } from '../support/patterns';
import { fakeLibtorchFiles, nvidiaHeaders, put, realPython, temporaryFolder } from './fixtures';

const folder = temporaryFolder();
const before = { ...process.env };
const noLog = (): void => undefined;
let cache: string;
let caches = 0;

beforeEach(() => {
  cache = join(folder, `cache-${(caches += 1)}`);
  process.env = { ...before, CLEANCLIP_CACHE: cache };
  delete process.env.LIBTORCH;
});
afterAll(() => {
  process.env = before;
});

/** Writes a wheel of these files; `spoil` changes one after its hash was recorded, or adds one that is not recorded. */
function wheel(name: string, files: Record<string, string>, metadata = '', spoil = ''): string {
  const script = `
import base64, hashlib, json, sys, zipfile
files, metadata, spoil = json.load(sys.stdin)
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    record = ''
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()
        record += f'{path},sha256={digest},{len(text)}\\n'
        wheel.writestr(path, text + ('!' if path == spoil else ''))
    info = sys.argv[2] + '.dist-info/'
    digest = base64.urlsafe_b64encode(hashlib.sha256(metadata.encode()).digest()).rstrip(b'=').decode()
    record += f'{info}METADATA,sha256={digest},{len(metadata)}\\n{info}RECORD,,\\n'
    wheel.writestr(info + 'RECORD', record)
    wheel.writestr(info + 'METADATA', metadata + ('!' if spoil == 'METADATA' else ''))
    if spoil not in files and spoil not in ('', 'METADATA'):
        wheel.writestr(spoil, 'planted')`;
  const file = join(folder, name);
  const { stderr } = spawnSync(realPython, ['-c', script, file, name], {
    input: JSON.stringify([files, metadata, spoil]),
    encoding: 'utf8',
  });
  if (stderr) throw new Error(stderr);
  return file;
}

/** The wheel of a torch that has no libraries, and a file that is not libtorch's. */
const torchWheel = (
  name: string,
  version: string,
  { cuda = null, metadata = '', spoil = '' }: { cuda?: string | null; metadata?: string; spoil?: string } = {},
): string => {
  const files = { ...fakeLibtorchFiles(version, cuda), 'nn.py': 'not wanted' };
  return wheel(
    name,
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`torch/${path}`, text])),
    metadata,
    spoil,
  );
};

/** An interpreter whose pip "downloads" that wheel, or fails with that message. */
const pythonWithPip = (name: string, wheel: string | null, message = ''): string => {
  const download = wheel
    ? `while [ "$1" != --dest ]; do shift; done; cp "${wheel}" "$2/torch.whl"`
    : `echo "${message}" >&2; exit 1`;
  return put(
    join(folder, name),
    `#!/bin/sh
case "$*" in
  "-m pip --version") echo "pip 25.0 from somewhere" ;;
  "-m pip download"*)
    ${download} ;;
  *) exec "${realPython}" "$@" ;;
esac
`,
    0o755,
  );
};

const fetched = (): string[] => (existsSync(join(cache, 'libtorch')) ? readdirSync(join(cache, 'libtorch')) : []);

test('takes libtorch, and nothing else, out of the wheel', () => {
  process.env.PYTHON = pythonWithPip('good', torchWheel('good.whl', '2.13.0+cpu'));
  const libtorch = fetchLibtorch(noLog);
  expect(libtorch).toMatchObject({ version: '2.13.0+cpu', cuda: null });
  expect(fetched()).toEqual([`2.13.0+cpu-${process.platform}-${process.arch}`]);
  expect(readdirSync(libtorch.root).sort()).toEqual(['include', 'lib', 'version.py']);
  expect(readFileSync(join(libtorch.root, 'lib/libtorch_cpu.so'), 'utf8')).toBe('library');
});

test('refuses a wheel whose files do not have the recorded hashes, and leaves nothing behind', () => {
  process.env.PYTHON = pythonWithPip(
    'spoilt',
    torchWheel('spoilt.whl', '2.13.0+cpu', { spoil: 'torch/lib/libtorch_cpu.so' }),
  );
  expect(() => fetchLibtorch(noLog)).toThrow('The downloaded torch is damaged: torch/lib/libtorch_cpu.so');
  expect(fetched()).toEqual([]);
});

test('refuses a file that RECORD does not name, and spoilt metadata', () => {
  process.env.PYTHON = pythonWithPip(
    'planted',
    torchWheel('planted.whl', '2.13.0+cpu', { spoil: 'torch/lib/libextra.so' }),
  );
  expect(() => fetchLibtorch(noLog)).toThrow(
    'The downloaded torch has a file that its RECORD does not name, torch/lib/libextra.so.',
  );
  process.env.PYTHON = pythonWithPip('metadata', torchWheel('metadata.whl', '2.13.0+cpu', { spoil: 'METADATA' }));
  expect(() => fetchLibtorch(noLog)).toThrow(
    'The downloaded torch is damaged: metadata.whl.dist-info/METADATA does not have the hash',
  );
  expect(fetched()).toEqual([]);
});

test('takes a wheel of a known name by its SHA-256 alone, and tells of others that their index is trusted', () => {
  const file = torchWheel('known.whl', '2.13.0+cpu');
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  process.env.PYTHON = pythonWithPip('known', file);
  const lines: string[] = [];
  try {
    releasedWheels['torch.whl'] = '0'.repeat(64);
    expect(() => fetchLibtorch(noLog)).toThrow(
      `The downloaded torch.whl is not the file that PyTorch released: its SHA-256 is not ${'0'.repeat(64)}.`,
    );
    expect(fetched()).toEqual([]);
    releasedWheels['torch.whl'] = digest;
    fetchLibtorch((line) => lines.push(line));
    expect(lines.join()).not.toContain('SHA-256');
  } finally {
    delete releasedWheels['torch.whl'];
  }
  process.env.CLEANCLIP_CACHE = join(folder, 'unknown-wheel');
  fetchLibtorch((line) => lines.push(line));
  expect(lines.at(-1)).toBe(
    "No SHA-256 of torch.whl is known: the download is only checked against its own RECORD, so pip's index is trusted.",
  );
});

test('a user without a home folder is told so', () => {
  jest.spyOn(os, 'homedir').mockImplementation(() => {
    throw new Error('uv_os_homedir returned ENOENT');
  });
  try {
    process.env.CLEANCLIP_CACHE = process.env.XDG_CACHE_HOME = '';
    process.env.PYTHON = pythonWithPip('homeless', torchWheel('homeless.whl', '2.13.0+cpu'));
    expect(findLibtorch()?.source).not.toBe('cache');
    expect(() => fetchLibtorch(noLog)).toThrow(
      'This user has no home folder for the cache: HOME is not set, and the system names none. Set CLEANCLIP_CACHE',
    );
  } finally {
    jest.restoreAllMocks();
  }
});

test('refuses a file that is no wheel, and a wheel of another version', () => {
  process.env.PYTHON = pythonWithPip('truncated', put(join(folder, 'truncated.whl'), 'PK, and then the line broke'));
  expect(() => fetchLibtorch(noLog)).toThrow(/could not be unpacked: .*BadZipFile/);
  process.env.PYTHON = pythonWithPip('other', torchWheel('other.whl', '2.14.1'));
  expect(() => fetchLibtorch(noLog)).toThrow('pip was asked for torch 2.13.0 and brought 2.14.1.');
  expect(fetched()).toEqual([]);
});

test("gives pip's answer and the ways out when it cannot download", () => {
  process.env.PYTHON = pythonWithPip('offline', null, 'ERROR: No matching distribution found for torch==2.13.0');
  expect(() => fetchLibtorch(noLog)).toThrow(
    joined(
      /^torch 2\.13\.0 could not be downloaded: pip of Python \S+ answered /,
      /"ERROR: No matching distribution found for torch==2\.13\.0"\. Go online, .* or set LIBTORCH/,
    ),
  );
});

test('says so when there is no Python, no pip, or no cache folder to write to', () => {
  process.env.PYTHON = join(folder, 'nowhere');
  expect(() => fetchLibtorch(noLog)).toThrow(`PYTHON names ${process.env.PYTHON}, which does not run.`);
  process.env.PYTHON = put(
    join(folder, 'no-pip'),
    `#!/bin/sh\n[ "$2" = pip ] && exit 1\nexec "${realPython}" "$@"\n`,
    0o755,
  );
  expect(() => fetchLibtorch(noLog)).toThrow('has no pip, and libtorch is fetched with it. Install pip');
  process.env.PYTHON = pythonWithPip('good-again', torchWheel('good-again.whl', '2.13.0+cpu'));
  process.env.CLEANCLIP_CACHE = join(put(join(folder, 'a-file'), ''), 'cache');
  expect(() => fetchLibtorch(noLog)).toThrow(
    /^The cache folder .* cannot be written: .* \(E[A-Z]+\)\. Set CLEANCLIP_CACHE/,
  );
});

test('two processes may fetch at once', async () => {
  const python = pythonWithPip('both', torchWheel('both.whl', '2.13.0+cpu'));
  const script =
    `console.log(require(${JSON.stringify(require.resolve('../../src/setup/fetch_libtorch'))}).fetchLibtorch(() ` +
    '=> {}).root)';
  const fetchInProcess = (): Promise<string> =>
    new Promise((done, fail) => {
      const child = spawn(process.execPath, ['-e', script], { env: { ...process.env, PYTHON: python } });
      let output = '';
      child.stdout.on('data', (text) => (output += text));
      child.stderr.on('data', (text) => (output += text));
      child.on('exit', (code) => (code === 0 ? done(output.trim()) : fail(new Error(output))));
    });
  const roots = await Promise.all([fetchInProcess(), fetchInProcess(), fetchInProcess()]);
  expect(new Set(roots).size).toBe(1);
  expect(fetched()).toHaveLength(1);
});

test('clears away what a killed fetch left an hour ago, and no other', () => {
  const [old, recent] = ['.fetch-old', '.fetch-recent'].map((name) => join(cache, 'libtorch', name));
  for (const left of [old, recent]) mkdirSync(left, { recursive: true });
  utimesSync(old, new Date(0), new Date(0));
  process.env.PYTHON = pythonWithPip('clearing', torchWheel('clearing.whl', '2.13.0+cpu'));
  fetchLibtorch(noLog);
  expect(existsSync(old)).toBe(false);
  expect(existsSync(recent)).toBe(true);
});

describe('the CUDA build', () => {
  const metadata = [
    'Requires-Dist: jinja2',
    'Requires-Dist: cuda-toolkit[cublas,cudart]==13.0.3; platform_system == "Linux"',
    'Requires-Dist: nvidia-nccl-cu13==2.30.7; platform_system == "Linux"',
    'Requires-Dist: triton~=3.8.0; platform_system == "Linux"',
  ].join('\n');
  const torch = torchWheel('cuda.whl', '2.14.1+cu130', { cuda: '13.0', metadata });
  const nvidia = Object.fromEntries(
    [...nvidiaHeaders, 'nccl/lib/libnccl.so.2'].map((file) => [`nvidia/${file}`, file]),
  );
  const toolkit = wheel('toolkit.whl', {});

  /** An interpreter whose pip "downloads" torch, then the others, and writes down what it was asked for. */
  const pythonWith = (name: string, first: string, others: string[]): string =>
    put(
      join(folder, name),
      `#!/bin/sh
case "$*" in
  "-m pip --version") echo "pip 25.0 from somewhere" ;;
  "-m pip download"*)
    echo "$*" >> "${join(folder, name)}.log"
    for dest; do [ "$last" = --dest ] && break; last=$dest; done
    case "$*" in
      *--no-deps*) cp "${first}" "$dest" ;;
      *) cp ${others.map((file) => `"${file}"`).join(' ')} "$dest" ;;
    esac ;;
  *) exec "${realPython}" "$@" ;;
esac
`,
      0o755,
    );

  test('is fetched whole, with what it names of NVIDIA and the two packages of headers, as pip installs it', () => {
    process.env.PYTHON = pythonWith('cuda', torch, [wheel('nvidia.whl', nvidia), toolkit]);
    const lines: string[] = [];
    const libtorch = fetchCudaLibtorch((line) => lines.push(line));
    expect(lines[0]).toMatch(/torch 2\.14\.1 for CUDA .*2\.7 GB.*4\.4 GB/);
    expect(libtorch).toMatchObject({ version: '2.14.1+cu130', cuda: '13.0' });
    expect(cudaObstacle(libtorch)).toBeNull();
    expect(fetched()).toEqual([`2.14.1+cu130-${process.platform}-${process.arch}`]);
    expect(readFileSync(join(libtorch.root, '../nvidia/nccl/lib/libnccl.so.2'), 'utf8')).toBe('nccl/lib/libnccl.so.2');
    expect(readdirSync(join(libtorch.root, '..')).filter((name) => name.endsWith('.whl'))).toEqual([]);
    expect(findLibtorch({ cuda: true })).toMatchObject({ root: libtorch.root, source: 'cache' });

    const asked = readFileSync(`${process.env.PYTHON}.log`, 'utf8').trim().split('\n');
    expect(asked).toHaveLength(2);
    expect(asked[0]).toContain('--no-deps torch==2.14.1 ');
    expect(asked[1]).toContain(
      'download cuda-toolkit[crt,cccl,cublas,cudart]==13.0.3 nvidia-nccl-cu13==2.30.7 --only-binary',
    );
  });

  test('is refused when a file of NVIDIA is damaged, and leaves nothing behind', () => {
    process.env.PYTHON = pythonWith('cuda-spoilt', torch, [
      wheel('spoilt-nvidia.whl', nvidia, '', 'nvidia/nccl/lib/libnccl.so.2'),
    ]);
    expect(() => fetchCudaLibtorch(noLog)).toThrow('The downloaded torch is damaged: nvidia/nccl/lib/libnccl.so.2');
    expect(fetched()).toEqual([]);
  });

  test('is refused when pip brings a CPU build, or another version', () => {
    process.env.PYTHON = pythonWith('cpu', torchWheel('cpu.whl', '2.14.1+cpu'), []);
    expect(() => fetchCudaLibtorch(noLog)).toThrow('The torch that pip brought is no CUDA build.');
    process.env.PYTHON = pythonWith('newer', torchWheel('newer.whl', '2.15.0+cu130', { cuda: '13.0', metadata }), [
      toolkit,
    ]);
    expect(() => fetchCudaLibtorch(noLog)).toThrow(/2\.15\.0\+cu130/);
    expect(fetched()).toEqual([]);
  });

  test("gives pip's answer when NVIDIA's packages are not to be had", () => {
    process.env.PYTHON = pythonWith('half', torch, [join(folder, 'nowhere')]);
    expect(() => fetchCudaLibtorch(noLog)).toThrow(
      /^What torch 2\.14\.1 needs of NVIDIA could not be downloaded: pip of Python \S+ answered ".*nowhere/,
    );
    expect(fetched()).toEqual([]);
  });
});
