import { flag } from './define';

/**
 * Flags of every command that concern only what it prints. They are no options of the API, whose functions print
 * nothing.
 */
export const commandLineFlags = {
  quiet: flag('print only the result, warnings and errors, without progress and log lines; files stay the same'),
};

/** The values of {@link commandLineFlags} that were given. */
export type CommandLineFlags = { [name in keyof typeof commandLineFlags]?: boolean };
