import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { addon } from '../../src/torch/addon';
import { python } from './python';
import { rows } from './rows';
import { type Against, type Part, passes, type Row } from './rows/row';

/** The parity reports, which are committed. */
export const reportFiles: Record<Against, string> = {
  torch: join(__dirname, 'REPORT.md'),
  reference: join(__dirname, 'REPORT.reference.md'),
};

/** What a row measured against one side. */
export interface Result {
  row: Row;
  against: Against;
  parts: Part[];
}

/** The rows of a list of names such as 'features step'; all without one. */
export function chosenRows(names = ''): readonly Row[] {
  const wanted = names.split(' ').filter((name) => name !== '');
  const unknown = wanted.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined)
    throw new Error(`There is no row '${unknown}'; the rows are ${rows.map((row) => row.name).join(', ')}.`);
  return wanted.length === 0 ? rows : rows.filter((row) => wanted.includes(row.name));
}

/** 'pass', 'FAIL', or 'explained' for a difference that has to be: see its note. */
export const verdict = (part: Part): string =>
  passes(part) ? 'pass' : part.explained && Number.isFinite(part.measured) ? 'explained' : 'FAIL';

const titles: Record<Against, string> = {
  torch: 'Parity with torch, torchvision, PIL, ftfy, regex and nltk',
  reference: "Parity with the Python repository's own modules",
};

const command: Record<Against, string> = {
  torch: '`npm run parity`',
  reference: '`CLEANCLIP_REFERENCE=<checkout> npm run parity`',
};

/** The rows that are measured against one side. */
export const rowsAgainst = (against: Against, among = rows): readonly Row[] =>
  among.filter((row) => against === 'torch' || row.reference);

/** The report of one side as Markdown: a line a comparison, under its row. */
export function formatReport(against: Against, results: readonly Result[]): string {
  const notes: string[] = [];
  const mark = (note: string | undefined): string => {
    if (note === undefined) return '';
    if (!notes.includes(note)) notes.push(note);
    return ` [${notes.indexOf(note) + 1}]`;
  };
  const line = (part: Part): string => {
    const limit = `${part.atLeast ? '≥' : '≤'} ${shown(part.limit)}`;
    return (
      `| | ${part.part} | ${part.cases.toLocaleString('en')} | ${limit} | ${shown(part.measured)} ` +
      `| ${verdict(part)}${mark(part.note)} |`
    );
  };
  const table = results.flatMap(({ row, parts }) => [
    `| **${row.name}** | **${row.what}** | | | | |`,
    ...parts.map(line),
  ]);
  const head = ['| row | compared | cases | limit | measured | verdict |', '| --- | --- | ---: | ---: | ---: | --- |'];
  const lines = [
    `# ${titles[against]}`,
    '',
    ...introduction(against),
    '',
    ...head,
    ...table,
    '',
    ...notes.map((note, i) => `${i + 1}. ${note}`),
  ];
  return `${lines.join('\n')}\n`;
}

function introduction(against: Against): string[] {
  const versions = python('versions.py', {}) as Record<string, string>;
  const list = Object.entries({
    Node: process.versions.node.split('.')[0],
    libtorch: addon().libtorchVersion(),
    ...versions,
  });
  return [
    `Written by ${command[against]}; do not edit. Seeds are fixed. Differences are absolute where nothing else ` +
      'is said; 0 is identical.',
    'A difference over the limit fails the command, unless a note explains why it has to be.',
    '',
    `Versions: ${list.map(([name, version]) => `${name} ${version}`).join(', ')}. ` +
      `\`OMP_NUM_THREADS=${process.env.OMP_NUM_THREADS ?? ''}\`.`,
  ];
}

/** A number as the report shows it: whole, a share, or in powers of ten. */
function shown(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toFixed(4)));
}

/** Prints the reports, and writes those in which no row is missing. */
export function publish(results: readonly Result[]): void {
  for (const against of ['torch', 'reference'] as const) {
    const own = results.filter((result) => result.against === against);
    if (own.length === 0) continue;
    const text = formatReport(against, own);
    process.stdout.write(`\n${text}`);
    if (own.length === rowsAgainst(against).length) writeFileSync(reportFiles[against], text);
  }
}
