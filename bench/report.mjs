// Renders the results as Markdown.

const units = {
  s: (value) =>
    value >= 1
      ? `${value.toFixed(2)} s`
      : value >= 1e-3
        ? `${(1e3 * value).toFixed(2)} ms`
        : `${(1e6 * value).toFixed(2)} µs`,
  bytes: (value) => `${Math.round(value / 2 ** 20)} MiB`,
  share: (value) => `${(100 * value).toFixed(0)}%`,
};

const withoutBf16 = 'fp32, because this processor has no bf16 instructions: with amp_bf16 a step takes it minutes';

/** Renders the head of RESULTS.md. */
export const renderRun = ({ machine, bf16, versions }) => `# Measured against Python

\`npm run bench\` measures this table anew. Both sides ran on ${machine}, with the same libtorch: ${versions}.
The reference is plain Python as CleanCLIP's code runs it: fp32, captions padded to 77, PIL and torchvision,
torch.optim.AdamW, DataLoader with 2 workers. open_clip computes in ${bf16 ? 'amp_bf16' : withoutBf16}.
Each row's sides are measured in turn. A ratio is their best cost ÷ our best, in brackets the median of the rounds'
ratios and their range; the last columns give the machine's load at the end, the day and the commit.
`;

/** Renders the rows that `measure` returns as a table. */
export function renderRows(rows) {
  const lines = rows.map(({ title, unit, ours, versus, limit, note, load, met, when }) => {
    const show = units[unit];
    const columns = ['reference', 'open_clip'].flatMap((side) => {
      if (versus[side] === undefined) return ['–', '–'];
      const { best, ratio, median, from, to, wanted } = versus[side];
      const target = wanted === undefined ? '' : `; wanted ${wanted.toFixed(2)}×`;
      return [show(best), `${ratio.toFixed(2)}× (${median.toFixed(2)}; ${from.toFixed(2)}–${to.toFixed(2)})${target}`];
    });
    const bound =
      limit === undefined
        ? ''
        : ` (wanted ${limit.atMost === undefined ? '≥' : '≤'} ${show(limit.atMost ?? limit.atLeast)})`;
    const verdict = met === undefined ? '' : met ? 'met' : 'short';
    return `| ${[title, `${show(ours)}${bound}`, ...columns, verdict, note, load.toFixed(1), when].join(' | ')} |`;
  });
  const head =
    '| row | here | reference | ratio | open_clip | ratio | | note | load | measured |\n| --- | --- | --- | --- ' +
    '| --- | --- | --- | --- | --- | --- |';
  return `${[head, ...lines].join('\n')}\n`;
}

/** Renders the table of how costs grow with sizes. */
export function renderGrowth(growth) {
  if (growth.length === 0) return '';
  const lines = growth.map(({ title, sizes, costs, unit, exponent, atMost, why, when = '' }) => {
    const points = sizes.map((size, i) => `${size.toLocaleString('en')}: ${units[unit](costs[i])}`).join(', ');
    const wanted = atMost === undefined ? '' : `≤ ${atMost.toFixed(2)}`;
    const verdict = atMost === undefined ? '' : exponent <= atMost ? 'met' : ['short', why].filter(Boolean).join(': ');
    return `| ${[title, points, exponent.toFixed(2), wanted, verdict, when].join(' | ')} |`;
  });
  const head = '| of | cost by size | e | wanted | | measured |\n| --- | --- | --- | --- | --- | --- |';
  return (
    '## Growth\n\n`npm run bench -- growth` measures this table anew. Cost c·n^e; e is the slope of the line through ' +
    `the logarithms.\nEach size has a process of its own.\n\n${[head, ...lines].join('\n')}\n`
  );
}
