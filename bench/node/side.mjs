// Node's side of a measurement (see ../sides.mjs): reads {"module", "args"}, lets that module prepare, then measures
// once for each further line.
import { createInterface } from 'node:readline';

let measure;
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (measure === undefined) measure = await (await import(`./${message.module}.mjs`)).prepare(message.args);
  process.stdout.write(`${JSON.stringify(message === 'measure' ? await measure() : {})}\n`);
}
process.exit(0);
