import { checkOptions, optionError } from '../errors';
import { commandName, type JobCommand, type JobCommandName, jobCommands, optionsOf } from '../options/commands';
import { camelCase, resolve } from '../options/define';
import { checkHooks, type JobHooks } from '../progress';
import { runJob } from './run';

/** Separates the hooks from the options of a job. Hooks cannot be cloned into its thread. */
export function split<T extends JobHooks>({
  onProgress,
  signal,
  ...options
}: T): { options: Omit<T, keyof JobHooks>; hooks: JobHooks } {
  checkHooks({ onProgress, signal });
  return { options, hooks: { onProgress, signal } };
}

/**
 * Checks what a caller gave to a job that is a command of `cleanclip`, and runs it in a thread of its own.
 * @throws CleanclipError `ERR_OPTION` for wrong options, before the thread starts; else what the job throws
 */
export async function startJob<R>(name: JobCommandName, input: JobHooks): Promise<R> {
  checkOptions(`The argument of ${name}`, input);
  const { options, hooks } = split(input);
  const { required, check }: JobCommand = jobCommands[name];
  const resolved: Record<string, unknown> = resolve(optionsOf(name), options);
  for (const option of required.map(camelCase)) {
    if (resolved[option] === undefined)
      throw optionError(`${name} needs ${option}; see cleanclip ${commandName(name)} --help.`);
  }
  check?.(resolved as never);
  return runJob(name, resolved, hooks);
}
