import { nativeError } from './libtorch';
import { run } from './run';

/** A Python interpreter. It is only used to find or download libtorch. */
export interface Python {
  /** The command that starts it. */
  readonly command: string;
  readonly version: string;
}

/** Finds the interpreter: only `$PYTHON` if that is set, else `python3`, else `python`; null when there is none. */
export function findPython(env: NodeJS.ProcessEnv = process.env): Python | null {
  for (const command of env.PYTHON ? [env.PYTHON] : ['python3', 'python']) {
    const { status, stdout } = run(command, ['-c', 'import platform; print(platform.python_version())']);
    if (status === 0) return { command, version: stdout.trim() };
  }
  return null;
}

/**
 * Does what {@link findPython} does, but throws when there is no interpreter.
 * @throws CleanclipError `ERR_NATIVE` that says what to do
 */
export function needPython(): Python {
  const python = findPython();
  if (python) return python;
  throw nativeError(
    process.env.PYTHON
      ? `PYTHON names ${process.env.PYTHON}, which does not run. Set PYTHON to a Python 3 interpreter, or LIBTORCH ` +
          'to a libtorch folder.'
      : 'Python 3 was not found, and libtorch is fetched with its pip. Install python3 and pip, or set LIBTORCH ' +
          'to a libtorch folder.',
  );
}

/** pip's version, or null when the interpreter has none. */
export function pipVersion(python: Python): string | null {
  const { status, stdout } = run(python.command, ['-m', 'pip', '--version']);
  return status === 0 ? (/^pip (\S+)/.exec(stdout)?.[1] ?? null) : null;
}

/**
 * The folder of the interpreter's `torch` package; null when there is none. The package is not imported, because that
 * takes seconds.
 */
export function pipTorchFolder(python: Python): string | null {
  const find = `
import importlib.util
spec = importlib.util.find_spec('torch')
print(next(iter(spec.submodule_search_locations or []), '') if spec else '')`;
  const { status, stdout } = run(python.command, ['-c', find]);
  return (status === 0 && stdout.trim()) || null;
}
