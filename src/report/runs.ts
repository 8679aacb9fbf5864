import type { RunFolder } from '../run/folder';
import { type Html, html, type Section, table } from './html';

/** Makes the section of what was run: model, seed, device and times of each run, and what is missing in its folder. */
export function runsSection(runs: readonly RunFolder[], leftOut: readonly string[]): Section {
  const rows = runs.map((run) => {
    const { name, params, records, lines, checkpoints } = run;
    const steps = records.filter(({ type }) => type === 'train');
    const { epoch, step } = steps[steps.length - 1] ?? records[records.length - 1] ?? { epoch: '–', step: '–' };
    const of = (flag: string): string => params.get(flag) ?? '–';
    return [
      name,
      modelOf(params),
      of('seed'),
      of('batch_size'),
      of('lr'),
      `${epoch} of ${of('epochs')}`,
      String(step),
      lines[0]?.time.replace(',', ' ') ?? '–',
      lines[lines.length - 1]?.time.replace(',', ' ') ?? '–',
      checkpoints[checkpoints.length - 1] ?? 'none',
    ];
  });
  const head = ['run', 'model', 'seed', 'batch size', 'learning rate', 'epoch', 'step'];
  return {
    id: 'runs',
    title: 'What was run',
    body: html`${table({
      caption: 'Runs',
      head: [...head, 'first line of the log', 'last line of the log', 'last checkpoint'],
      rows,
    })}
    ${notes(runs, leftOut)} ${versions(runs)}`,
  };
}

function modelOf(params: ReadonlyMap<string, string>): string {
  const named = ['model_name', 'checkpoint', 'checkpoint_finetune'].map((flag) => params.get(flag));
  return named.find((value) => value !== undefined && value !== 'None') ?? '–';
}

/** Names what is missing or cannot be read, so that nobody takes a page for complete that is not. */
function notes(runs: readonly RunFolder[], leftOut: readonly string[]): Html | false {
  const found = [
    ...runs.flatMap(({ name, missing }) =>
      missing.map((file) => html`<li>The run ${name} has no ${file}; what stands in it is not shown.</li>`),
    ),
    ...runs.flatMap(({ name, torn }) =>
      torn === 0
        ? []
        : [html`<li>In metrics.jsonl of the run ${name}, ${torn} line${torn > 1 && 's'} cannot be read.</li>`],
    ),
    ...leftOut.map((path) => html`<li>${path} is no folder of a run and is left out.</li>`),
  ];
  return (
    found.length > 0 &&
    html`<h3>Left out</h3>
      <ul class="notes">
        ${found}
      </ul>`
  );
}

/** Says with which versions, and on which device, runs ran. */
function versions(runs: readonly RunFolder[]): Html | false {
  const found = runs.flatMap(({ name, lines }) => {
    const texts = lines.filter(({ text }) => /^(Using .* device|cleanclip \d)/.test(text)).map(({ text }) => text);
    return texts.length === 0 ? [] : [html`<li>${name}: ${[...new Set(texts)].join('; ')}.</li>`];
  });
  return (
    found.length > 0 &&
    html`<h3>Versions and devices</h3>
      <ul class="notes">
        ${found}
      </ul>`
  );
}

/** Makes the section of the flags that differ between runs. */
export function differencesSection(runs: readonly RunFolder[]): Section | undefined {
  if (runs.length < 2) return undefined;
  const flags = [...new Set(runs.flatMap(({ params }) => [...params.keys()]))].sort();
  const own = ['name', 'logs'];
  const differ = flags.filter(
    (flag) => !own.includes(flag) && new Set(runs.map((run) => run.params.get(flag))).size > 1,
  );
  return {
    id: 'differences',
    title: 'Differences between the runs',
    body:
      differ.length === 0
        ? html`<p>All flags of the runs are equal, but for their names.</p>`
        : table({
            caption: 'Flags that differ',
            head: ['flag', ...runs.map(({ name }) => name)],
            rows: differ.map((flag) => [`--${flag}`, ...runs.map(({ params }) => params.get(flag) ?? '–')]),
          }),
  };
}

/** Makes the section of all flags of each run. */
export function flagsSection(runs: readonly RunFolder[]): Section {
  return {
    id: 'flags',
    title: 'All flags',
    body: html`${runs.map(({ name, params }) =>
      params.size === 0
        ? html`<p>The flags of ${name} are not known.</p>`
        : html`<details>
            <summary>Flags of ${name}</summary>
            ${table({
              caption: `Flags of ${name}`,
              head: ['flag', 'value'],
              rows: Array.from(params, ([flag, value]) => [`--${flag}`, value]),
            })}
          </details>`,
    )}`,
  };
}

const MOST_WARNINGS = 50; // of a run

/** Makes the section of the warnings in the logs. */
export function warningsSection(runs: readonly RunFolder[]): Section | undefined {
  const parts = runs.flatMap(({ name, lines }) => {
    const warnings = lines.filter(({ level }) => level === 'WARNING');
    const shownLines = warnings.slice(0, MOST_WARNINGS);
    const more = warnings.length - shownLines.length;
    if (warnings.length === 0) return [];
    return [
      html`<h3>${name}</h3>
        <ul class="notes">
          ${shownLines.map(({ time, text }) => html`<li>${time.replace(',', ' ')}: ${text}</li> `)}
          ${more > 0 && html`<li>${more} more stand in output.log.</li>`}
        </ul>`,
    ];
  });
  return parts.length === 0 ? undefined : { id: 'warnings', title: 'Warnings', body: html`${parts}` };
}
