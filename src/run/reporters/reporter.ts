import type { LoopState } from '../state';

/** One object of metrics.jsonl. */
export type MetricsRecord = {
  type: 'data' | 'train' | 'evaluation' | 'removal' | 'linear_probe' | 'assumed';
  epoch: number;
  step: number;
} & Record<string, unknown>;

/** An image to show. */
export interface Picture {
  /** the bytes of a PNG file */
  png: Uint8Array;
  width: number;
  height: number;
  /** what it shows */
  caption: string;
}

/** Images of one kind, such as `clean` or `triggered`. */
export interface PictureSet {
  name: string;
  pictures: Picture[];
}

/** How the report of a job begins. */
export interface Beginning {
  /**
   * `new`: a run of this name begins, and its earlier files are replaced; `resumed`: it goes on; `beside`: a job
   * measures the model of a run, whose files stay
   */
  kind: 'new' | 'resumed' | 'beside';
  /** where a resumed run goes on */
  at?: LoopState;
  /** the earlier records of a resumed run, up to there */
  history: readonly MetricsRecord[];
  /** the options of the job, by name in camelCase */
  options: Record<string, unknown>;
}

/** How a job has ended: `stopped` is by its signal. */
export type Ending = 'finished' | 'stopped' | 'failed';

/** A place where a job is reported while it runs. Of several ranks only the first reports. */
export interface Reporter {
  /** Opens its files. An error ends the job before it starts. */
  begin(beginning: Beginning): void;
  /** Reports a record. The log warns of the first error of this and of the following functions. */
  record(record: MetricsRecord): void;
  /** Shows images; a reporter without it shows none. */
  pictures?(sets: readonly PictureSet[], at: { epoch: number; step: number }): void;
  /** Ends the report. */
  end?(ending: Ending): void;
}

/** Tells whether a record was made before the place where a run goes on. */
export const isBefore = ({ epoch, step }: { epoch: number; step: number }, at: LoopState): boolean =>
  epoch <= at.epoch || (epoch === at.epoch + 1 && step <= at.step);

/** Names in records that are no metrics. */
export const NO_METRICS: readonly string[] = [
  ...['type', 'epoch', 'step', 'checkpoint', 'set', 'folder', 'images', 'triggered_images', 'validation_rows_left_out'],
];

/**
 * Returns the numbers of a record by name, as `train/loss`; the names are those of the Python code. Those of one of
 * several sets have its name, as `evaluation/CIFAR10/zeroshot_top1`.
 */
export function numbersOf({ type, set, ...values }: MetricsRecord): [name: string, value: number][] {
  if (type === 'assumed') return []; // they describe the model
  const group = typeof set === 'string' ? `${type}/${set}` : type;
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'number' && !NO_METRICS.includes(name) ? [[`${group}/${name}`, value] as [string, number]] : [],
  );
}

/** Turns the name of an option into that of its flag: `numWarmupSteps` → `num_warmup_steps`. */
export const flagName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
