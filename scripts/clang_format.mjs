// `node scripts/clang_format.mjs <arguments of clang-format>`: runs clang-format on all C++ sources.
import { execFileSync, spawnSync } from 'node:child_process';

const files = execFileSync('git', ['ls-files', '*.cc', '*.h'], { encoding: 'utf8' }).split('\n').filter(Boolean);
process.exitCode =
  spawnSync('npx', ['clang-format', ...process.argv.slice(2), ...files], { stdio: 'inherit' }).status ?? 1;
