// Measures one entry of the table. It prepares all sides, then measures them in turn, A B C A B C …, so that other load
// on the machine affects all of them equally.
import { loadavg } from 'node:os';

import { openSide } from './sides.mjs';

/**
 * @param {import('./table.mjs').Measurement} measurement
 * @returns {Promise<object[]>} a result per row: the best of each side, ratios, and whether the goals are met
 */
export async function measure({ id, module, args, quick: small, sides, repeats, rows }, environment, quick) {
  console.log(`${id}, load ${loadavg()[0].toFixed(1)} …`);
  const task = { module, args: { folder: environment.folder, ...args, ...(quick && small) } };
  const taken = Object.fromEntries(sides.map((side) => [side, []]));
  const open = {};
  try {
    for (const side of sides) open[side] = await openSide(side, task, environment);
    for (let round = 0; round < (quick ? 2 : repeats); round++) {
      for (const side of sides) taken[side].push(await open[side].measure());
    }
  } finally {
    await Promise.all(Object.values(open).map((side) => side.close()));
  }
  return rows.map((row) => summarise(row, taken));
}

/** Times and bytes are costs: the lowest of each side counts, and a ratio is theirs ÷ ours. */
function summarise({ title, key, unit, atLeast = {}, check, limit, why }, taken) {
  const valuesOf = (side) => taken[side]?.map((result) => result[key]);
  const ours = (limit?.atLeast === undefined ? Math.min : Math.max)(...valuesOf('node'));
  const versus = {};
  for (const side of Object.keys(taken).filter((name) => name !== 'node' && (valuesOf(name)[0] ?? null) !== null)) {
    const theirs = valuesOf(side);
    const rounds = theirs.map((value, round) => value / valuesOf('node')[round]).sort((a, b) => a - b);
    versus[side] = {
      best: Math.min(...theirs),
      ratio: Math.min(...theirs) / ours,
      median: rounds[rounds.length >> 1],
      from: rounds[0],
      to: rounds.at(-1),
      wanted: atLeast[side],
    };
  }
  const failure = check?.(taken);
  // the seconds that the step would take at the machine's peak
  const floor = key === 'seconds' ? Math.max(...taken.node.map((result) => result.floor)) : NaN;
  const most =
    floor > 0 && versus.reference
      ? `at the peak it would take ${floor.toFixed(2)} s, ${(versus.reference.best / floor).toFixed(2)}×`
      : undefined;
  const conditions = [
    ...Object.values(versus).flatMap(({ ratio, wanted }) => (wanted === undefined ? [] : [ratio >= wanted])),
    ...(limit?.atMost === undefined ? [] : [ours <= limit.atMost]),
    ...(limit?.atLeast === undefined ? [] : [ours >= limit.atLeast]),
    ...(check === undefined ? [] : [failure === undefined]),
  ];
  const met = conditions.length === 0 ? undefined : conditions.every(Boolean);
  const note = [failure, taken.node[0][key === 'share' ? 'where' : 'note'], most, met === false ? why : undefined]
    .filter(Boolean)
    .join('; ');
  return { title, unit, ours, versus, limit, note, load: loadavg()[0], met };
}
