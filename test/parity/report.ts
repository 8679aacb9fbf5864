import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { addon } from '../../src/torch/addon';
import { python } from './python';
import { rows } from './rows';
import { passes, type Against, type Part, type Row } from './rows/row';

/** The parity report, which is committed. */
export const reportFile = join(__dirname, 'REPORT.md');

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
  if (unknown !== undefined) throw new Error(`There is no row '${unknown}'; the rows are ${rows.map((row) => row.name).join(', ')}.`);
  return wanted.length === 0 ? rows : rows.filter((row) => wanted.includes(row.name));
}

/** 'pass', 'FAIL', or 'explained' for a difference that has to be: see its note. */
export const verdict = (part: Part): string => (passes(part) ? 'pass' : part.explained ? 'explained' : 'FAIL');

const titles = {
  torch: 'Against torch, torchvision, PIL, ftfy, regex and nltk',
  reference: "Against the Python repository's own modules",
};

/** The report as Markdown: a table a side, a line a comparison. */
export function formatReport(results: readonly Result[]): string {
  const notes: string[] = [];
  const mark = (note: string | undefined): string => {
    if (note === undefined) return '';
    if (!notes.includes(note)) notes.push(note);
    return ` [${notes.indexOf(note) + 1}]`;
  };
  const line = (name: string, part: Part): string => {
    const limit = `${part.atLeast ? '≥' : '≤'} ${shown(part.limit)}`;
    const cells = [name, part.part, part.cases.toLocaleString('en'), limit, shown(part.measured), verdict(part) + mark(part.note)];
    return `| ${cells.join(' | ')} |`;
  };
  const sections = (['torch', 'reference'] as const).flatMap((side) => {
    const own = results.filter(({ against }) => against === side);
    if (own.length === 0) return [];
    const table = own.flatMap(({ row, parts }) => [`| **${row.name}** | **${row.what}** | | | | |`, ...parts.map((part) => line('', part))]);
    return [`## ${titles[side]}`, '', '| row | compared | cases | limit | measured | verdict |', '| --- | --- | ---: | ---: | ---: | --- |', ...table, ''];
  });
  return ['# Parity with Python', '', ...introduction(), '', ...sections, ...notes.map((note, i) => `${i + 1}. ${note}`)].join('\n') + '\n';
}

function introduction(): string[] {
  const versions = python('versions.py', {}) as Record<string, string>;
  const list = Object.entries({ Node: process.versions.node.split('.')[0], libtorch: addon().libtorchVersion(), ...versions });
  return [
    'Written by `npm run parity`; do not edit. Seeds are fixed. Differences are absolute unless a row says otherwise; 0 means identical.',
    '',
    `Versions: ${list.map(([name, version]) => `${name} ${version}`).join(', ')}. \`OMP_NUM_THREADS=${process.env.OMP_NUM_THREADS ?? ''}\`.`,
  ];
}

/** A number as the report shows it: whole, a share, or in powers of ten. */
function shown(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toFixed(4)));
}

/** Prints the report; the whole one is also written. */
export function publish(results: readonly Result[]): void {
  const text = formatReport(results);
  process.stdout.write(`\n${text}`);
  const complete = rows.every((row) => results.some((result) => result.row === row && result.against === 'torch'));
  if (complete) writeFileSync(reportFile, text);
}
