import { Command } from 'commander';

/**
 * The command `cleanclip doctor`, which prints what the addon depends on. Its exit code is 1 when something is missing.
 */
export const command = new Command('doctor')
  .description(
    'Show what was found of Node, Python, the compiler, libtorch and the addon, and how to fix what is missing.',
  )
  .option('--json', 'print the report as JSON', false)
  .action(async (options: { json: boolean }) => {
    const { doctor, formatReport } = await import('../setup/doctor');
    const report = doctor();
    console.log(options.json ? JSON.stringify(report, null, 2) : formatReport(report));
    if (!report.ok) process.exitCode = 1;
  });
