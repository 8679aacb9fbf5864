// Node's side: reads {"module", "args"}, lets that module prepare, then measures for each further line. See
// ../sides.mjs.
import { createInterface } from 'node:readline';

process.env.GOMP_SPINCOUNT ??= '3000'; // as a job sets it (src/jobs/run.ts)

let measure;
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (measure === undefined) measure = await (await import(`./${message.module}.mjs`)).prepare(message.args);
  process.stdout.write(`${JSON.stringify(message === 'measure' ? await measure() : {})}\n`);
}
process.exit(0);
