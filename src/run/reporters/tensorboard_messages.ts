// What cleanclip writes into TensorBoard's event files, as objects of data/reports/tensorboard.proto.
import { type OptionSpec } from '../../options/define';
import { trainOptions } from '../../options/train';
import { type Ending, flagName, type PictureSet } from './reporter';
import { encodeMessage } from './schema';

/** One value of a summary. */
export type SummaryValue = Record<string, unknown> & { tag: string };

/** Values of TensorProto.dtype. */
const [FLOAT, STRING] = [1, 7];
/** DataClass of a tensor. */
const TENSOR = 2;
/** Values of the plugin's DataType, by type of an option. */
const dataTypes = { string: 1, boolean: 2, number: 3 };

/** The tags of the metrics that the table of the HParams plugin shows. */
const metricTags = [
  'train/loss',
  'evaluation/loss',
  'evaluation/zeroshot_top1',
  'evaluation/triggered_zeroshot_top1',
  'evaluation/asr_top1',
  'evaluation/linear_probe_accuracy',
  'evaluation/finetune_accuracy',
];

/** Encodes an event. */
export const encodeEvent = (event: object): Uint8Array =>
  encodeMessage('tensorboard.proto', 'tensorboard.Event', { wall_time: Date.now() / 1000, ...event });

/** Returns the value of a scalar. */
export const scalar = ([tag, value]: [string, number]): SummaryValue => ({ tag, simple_value: value });

/** Returns the values that show images, one tag an image: `clean/0`, `clean/1` … */
export const images = ({ name, pictures }: PictureSet): SummaryValue[] =>
  pictures.map(({ png, width, height }, i) => ({
    tag: `${name}/${i}`,
    image: { height, width, colorspace: 3, encoded_image_string: png },
  }));

/** Returns the value of a text, which TensorBoard shows as Markdown. */
export const textValue = (tag: string, text: string): SummaryValue => ({
  tag,
  tensor: { dtype: STRING, tensor_shape: { dim: [{ size: 1 }] }, string_val: [Buffer.from(text)] },
  metadata: { plugin_data: { plugin_name: 'text' }, data_class: TENSOR },
});

/** Writes options as a table of Markdown, sorted. */
export function optionsTable(options: Record<string, unknown>): string {
  const cell = (value: unknown): string => String(value).replaceAll('|', '\\|').replace(/\s+/g, ' ');
  const rows = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `| ${flagName(name)} | ${cell(value)} |`);
  return ['| flag | value |', '| --- | --- |', ...rows.sort()].join('\n');
}

/** Returns the values with which the HParams plugin shows a run: which options and metrics there are, and its own. */
export function hparamsBegin(options: Record<string, unknown>): SummaryValue[] {
  const now = Date.now() / 1000;
  const specs: Record<string, OptionSpec> = trainOptions;
  const infos = Object.entries(specs).map(([name, { type, several }]) => ({
    name,
    type: dataTypes[several ? 'string' : type],
  }));
  const hparams = Object.entries(options).flatMap(([name, value]) => {
    const known = value === undefined ? undefined : hparam(value);
    return known === undefined ? [] : [[flagName(name), known] as const];
  });
  return [
    plugin('experiment', {
      experiment: {
        time_created_secs: now,
        hparam_infos: infos,
        metric_infos: metricTags.map((tag) => ({ name: { tag } })),
      },
    }),
    plugin('session_start_info', {
      session_start_info: {
        hparams: Object.fromEntries(hparams),
        group_name: String(options.name ?? ''),
        start_time_secs: now,
      },
    }),
  ];
}

/** Returns the value that says how a run has ended. */
export const hparamsEnd = (ending: Ending): SummaryValue =>
  plugin('session_end_info', {
    session_end_info: { status: ending === 'finished' ? 1 : 2, end_time_secs: Date.now() / 1000 },
  });

function hparam(value: unknown): object {
  if (typeof value === 'number') return { number_value: value };
  return typeof value === 'boolean' ? { bool_value: value } : { string_value: String(value) };
}

/** Returns a value that only its plugin reads, with the empty tensor that TensorBoard wants of it. */
const plugin = (name: string, content: object): SummaryValue => ({
  tag: `_hparams_/${name}`,
  tensor: { dtype: FLOAT, tensor_shape: { dim: [{ size: 0 }] } },
  metadata: {
    plugin_data: {
      plugin_name: 'hparams',
      content: encodeMessage('tensorboard.proto', 'tensorboard.HParamsPluginData', content),
    },
  },
});
