import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import { fetchLibtorch } from '../../src/native/fetch_libtorch';
import { fakeLibtorchFiles, put, realPython, temporaryFolder } from './fixtures';

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

/** Writes a wheel of a torch that has no libraries; `spoil` changes a file after its hash was recorded. */
function wheelOf(name: string, version: string, spoil = ''): string {
  const script = `
import base64, hashlib, json, sys, zipfile
files, spoil = json.load(sys.stdin), sys.argv[2]
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    record = ''
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()
        record += f'torch/{path},sha256={digest},{len(text)}\\n'
        wheel.writestr('torch/' + path, text + ('!' if path == spoil else ''))
    wheel.writestr('torch/nn.py', 'not wanted')
    wheel.writestr('torch-0.dist-info/RECORD', record)`;
  const file = join(folder, name);
  const { stderr } = spawnSync(realPython, ['-c', script, file, spoil], { input: JSON.stringify(fakeLibtorchFiles(version)), encoding: 'utf8' });
  if (stderr) throw new Error(stderr);
  return file;
}

/** An interpreter whose pip "downloads" that wheel, or fails with that message. */
const pythonWithPip = (name: string, wheel: string | null, message = ''): string =>
  put(
    join(folder, name),
    `#!/bin/sh
case "$*" in
  "-m pip --version") echo "pip 25.0 from somewhere" ;;
  "-m pip download"*)
    ${wheel ? `while [ "$1" != --dest ]; do shift; done; cp "${wheel}" "$2/torch.whl"` : `echo "${message}" >&2; exit 1`} ;;
  *) exec "${realPython}" "$@" ;;
esac
`,
    0o755,
  );

const fetched = (): string[] => (existsSync(join(cache, 'libtorch')) ? readdirSync(join(cache, 'libtorch')) : []);

test('takes libtorch, and nothing else, out of the wheel', () => {
  process.env.PYTHON = pythonWithPip('good', wheelOf('good.whl', '2.13.0+cpu'));
  const libtorch = fetchLibtorch(noLog);
  expect(libtorch).toMatchObject({ version: '2.13.0+cpu', cuda: null });
  expect(fetched()).toEqual([`2.13.0+cpu-${process.platform}-${process.arch}`]);
  expect(readdirSync(libtorch.root).sort()).toEqual(['include', 'lib', 'version.py']);
  expect(readFileSync(join(libtorch.root, 'lib/libtorch_cpu.so'), 'utf8')).toBe('library');
});

test('refuses a wheel whose files do not have the recorded hashes, and leaves nothing behind', () => {
  process.env.PYTHON = pythonWithPip('spoilt', wheelOf('spoilt.whl', '2.13.0+cpu', 'lib/libtorch_cpu.so'));
  expect(() => fetchLibtorch(noLog)).toThrow('The downloaded torch is damaged: torch/lib/libtorch_cpu.so');
  expect(fetched()).toEqual([]);
});

test('refuses a file that is no wheel, and a wheel of another version', () => {
  process.env.PYTHON = pythonWithPip('truncated', put(join(folder, 'truncated.whl'), 'PK, and then the line broke'));
  expect(() => fetchLibtorch(noLog)).toThrow(/could not be unpacked: .*BadZipFile/);
  process.env.PYTHON = pythonWithPip('other', wheelOf('other.whl', '2.14.1'));
  expect(() => fetchLibtorch(noLog)).toThrow('pip was asked for torch 2.13.0 and brought 2.14.1.');
  expect(fetched()).toEqual([]);
});

test("gives pip's answer and the ways out when it cannot download", () => {
  process.env.PYTHON = pythonWithPip('offline', null, 'ERROR: No matching distribution found for torch==2.13.0');
  expect(() => fetchLibtorch(noLog)).toThrow(
    /^torch 2\.13\.0 could not be downloaded: pip of Python \S+ answered "ERROR: No matching distribution found for torch==2\.13\.0" Go online, .* or set LIBTORCH/,
  );
});

test('says so when there is no Python, no pip, or no cache folder to write to', () => {
  process.env.PYTHON = join(folder, 'nowhere');
  expect(() => fetchLibtorch(noLog)).toThrow(`PYTHON names ${process.env.PYTHON}, which does not run.`);
  process.env.PYTHON = put(join(folder, 'no-pip'), `#!/bin/sh\n[ "$2" = pip ] && exit 1\nexec "${realPython}" "$@"\n`, 0o755);
  expect(() => fetchLibtorch(noLog)).toThrow('has no pip, and libtorch is fetched with it. Install pip');
  process.env.PYTHON = pythonWithPip('good-again', wheelOf('good-again.whl', '2.13.0+cpu'));
  process.env.CLEANCLIP_CACHE = join(put(join(folder, 'a-file'), ''), 'cache');
  expect(() => fetchLibtorch(noLog)).toThrow(/^The cache folder .* cannot be written \(.*\)\. Set CLEANCLIP_CACHE/);
});

test('two processes may fetch at once', async () => {
  const python = pythonWithPip('both', wheelOf('both.whl', '2.13.0+cpu'));
  const script = `console.log(require(${JSON.stringify(require.resolve('../../src/native/fetch_libtorch'))}).fetchLibtorch(() => {}).root)`;
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
  process.env.PYTHON = pythonWithPip('clearing', wheelOf('clearing.whl', '2.13.0+cpu'));
  fetchLibtorch(noLog);
  expect(existsSync(old)).toBe(false);
  expect(existsSync(recent)).toBe(true);
});
