import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const root = resolve(__dirname, '..', '..');

/** The real interpreter behind `python3`, which may be a shim that wants the whole PATH. */
export const realPython = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).stdout.trim();

/** A folder that is removed when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-native-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file and the folders above it. */
export function put(file: string, content: string, mode = 0o644): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

/** What {@link readLibtorch} looks at, without any library in it. */
export function fakeLibtorch(folder: string, version = '2.13.0+cpu', cuda: string | null = null): string {
  for (const [file, content] of Object.entries(fakeLibtorchFiles(version, cuda))) put(join(folder, file), content);
  return folder;
}

/** A CUDA build as pip installs it, `torch/` beside `nvidia/`; without some of the files beside it. */
export function fakeCudaLibtorch(folder: string, without: readonly string[] = []): string {
  for (const file of nvidiaHeaders.filter((name) => !without.includes(name)))
    put(join(folder, 'nvidia', file), '// header');
  return fakeLibtorch(join(folder, 'torch'), '2.14.1+cu130', '13.0');
}

/** What the addon needs beside torch for NCCL. */
export const nvidiaHeaders = ['nccl/include/nccl.h', 'cu13/include/crt/host_config.h', 'cu13/include/nv/target'];

export const fakeLibtorchFiles = (version: string, cuda: string | null = null): Record<string, string> => ({
  'include/ATen/ATen.h': '// ATen',
  'include/torch/csrc/api/include/torch/torch.h': '// torch',
  'lib/libtorch_cpu.so': 'library',
  ...(cuda ? { 'lib/libtorch_cuda.so': 'library' } : {}),
  'version.py': `__version__ = '${version}'\ncuda: Optional[str] = ${cuda ? `'${cuda}'` : 'None'}\n`,
});

/** A folder for PATH that holds just these of the machine's commands. */
export function pathWith(folder: string, commands: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  for (const command of commands) {
    const found = (process.env.PATH ?? '')
      .split(delimiter)
      .map((place) => join(place, command))
      .find(existsSync);
    if (!found) throw new Error(`This test needs ${command}.`);
    symlinkSync(found, join(folder, command));
  }
  return folder;
}

/** A copy of the package with a one-function addon, so that it compiles in seconds and spoils nothing. */
export function copyPackage(folder: string): string {
  for (const name of ['package.json', 'CMakeLists.txt', 'binding.gyp', 'bin', 'dist', 'scripts']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  put(join(folder, 'native', 'pch.h'), '#pragma once\n#include <napi.h>\n');
  put(
    join(folder, 'native', 'addon.cc'),
    `#include <napi.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
Napi::Object init(Napi::Env env, Napi::Object exports) {
  using Info = const Napi::CallbackInfo&;
  exports["cpuCapability"] = Napi::Function::New(
      env, [](Info info) { return Napi::String::New(info.Env(), at::get_cpu_capability()); });
  exports["cudaBuild"] = Napi::Function::New(env, [](Info info) { return info.Env().Null(); });
  exports["cudaDeviceCount"] = Napi::Function::New(env, [](Info info) { return Napi::Number::New(info.Env(), 0); });
  exports["numThreads"] = Napi::Function::New(
      env, [](Info info) { return Napi::Number::New(info.Env(), at::get_num_threads()); });
  return exports;
}
NODE_API_MODULE(cleanclip, init)
`,
  );
  return folder;
}

/** The libtorch of `npm ci`, whichever the tests run on: it is a CPU build. */
export const realLibtorch = (): string =>
  JSON.parse(readFileSync(join(root, 'build', 'Release', 'cleanclip.json'), 'utf8')).libtorch.root;

/** Runs Node; `env` is laid over an environment without LIBTORCH and CLEANCLIP_BUILD. */
export function node(args: readonly string[], env: NodeJS.ProcessEnv) {
  const without = { LIBTORCH: '', CLEANCLIP_BUILD: '' };
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...without, ...env } });
}
