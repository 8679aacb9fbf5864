import { nativeError } from './libtorch';
import { run } from './run';

/** A build tool. */
export interface Tool {
  readonly name: string;
  /** its version line; null if no usable one was found */
  readonly found: string | null;
  /** how to install it */
  readonly remedy: string;
}

/** Looks for the tools that compile the addon: a C++20 compiler, CMake, and Ninja or make. */
export const buildTools = (): Tool[] => [
  {
    name: 'C++ compiler',
    found: compiler(),
    remedy:
      'Install GCC 11 or newer, or Clang 14 or newer (Debian, Ubuntu: apt install g++; macOS: xcode-select --install).',
  },
  {
    name: 'CMake',
    found: atLeast('cmake', [3, 18]),
    remedy:
      'Install CMake 3.18 or newer (Debian, Ubuntu: apt install cmake; macOS: brew install cmake; or pip ' +
      'install cmake).',
  },
  {
    name: 'Ninja or make',
    found: versionOf('ninja') ?? versionOf('make'),
    remedy: 'Install Ninja or make (Debian, Ubuntu: apt install ninja-build; macOS: brew install ninja).',
  },
];

/** @throws CleanclipError `ERR_NATIVE` that names the first missing tool and how to install it */
export function needBuildTools(): void {
  for (const { name, found, remedy } of buildTools()) {
    if (!found) throw nativeError(`The addon cannot be compiled: no usable ${name} was found in PATH. ${remedy}`);
  }
}

/** cmake-js looks for these two only. GCC before 11 and Clang before 14 lack parts of C++20 that the addon uses. */
const compiler = (): string | null => atLeast('g++', [11, 0]) ?? atLeast('clang++', [14, 0]);

function atLeast(command: string, [major, minor]: readonly [number, number]): string | null {
  const line = versionOf(command);
  const numbers = line && /(\d+)\.(\d+)/.exec(line.replace(/\([^)]*\)/g, ''));
  if (!numbers) return null;
  const [foundMajor, foundMinor] = [Number(numbers[1]), Number(numbers[2])];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor) ? line : null;
}

/** The first line that `--version` prints, with the command in front if it is only a number; null if it fails. */
function versionOf(command: string): string | null {
  const { status, stdout } = run(command, ['--version']);
  if (status !== 0) return null;
  const line = stdout.split('\n')[0].trim();
  return /^[\d.]+$/.test(line) ? `${command} ${line}` : line;
}
