import { Command } from 'commander';

/** The command `cleanclip setup`, which finds or fetches libtorch and compiles the addon. */
export const command = new Command('setup')
  .description('Find or fetch libtorch and compile the addon. Does nothing when it is ready.')
  .option(
    '--cuda',
    'compile against a CUDA build of libtorch, with NCCL; it is fetched if there is none (2.7 GB)',
    false,
  )
  .option('--force', 'compile even when nothing has changed', false)
  .action(async (options: { cuda: boolean; force: boolean; quiet?: boolean }) => {
    const { setup } = await import('../setup/setup');
    setup(options);
  });
