// Checks lengths that eslint does not check: lines over 120 characters in C++, Python and the CI script, C++ files over
// 300 lines, and C++ functions over 60 lines.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [LINE, FILE, FUNCTION] = [120, 300, 60];

const files = execFileSync('git', ['ls-files', '*.cc', '*.h', '*.py', '.ci/run'], { encoding: 'utf8' })
  .split('\n')
  .filter(Boolean);
const faults = files.flatMap((file) => {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const isLong = (line) => [...line].length > LINE;
  const long = lines.flatMap((line, i) => (isLong(line) ? [`${file}:${i + 1} has over ${LINE} characters`] : []));
  if (!/\.(cc|h)$/.test(file)) return long;
  const functions = longFunctions(lines).map((line) => `${file}:${line} begins a function of over ${FUNCTION} lines`);
  return [...long, ...functions, ...(lines.length > FILE ? [`${file} has over ${FILE} lines`] : [])];
});
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

/**
 * Returns the numbers of the lines at which functions begin that are too long. Formatted code shows where a function
 * ends: its last line is a brace with the indentation of its first line.
 */
function longFunctions(lines) {
  const first = new Map(); // indentation -> the latest line that may begin a function
  return lines.flatMap((line, i) => {
    const [, indent] = /^( *)/.exec(line);
    if (!/^( {2})?\}$/.test(line)) {
      if (/^ *\w/.test(line)) first.set(indent.length, i);
      return [];
    }
    const start = first.get(indent.length);
    const code = lines.slice(start, i + 1).filter((each) => !/^\s*(\/\/|$)/.test(each));
    return code.length > FUNCTION ? [start + 1] : [];
  });
}
