import { text } from './define';

/** The formats that a model can be written in. */
export const conversions = ['openai', 'open_clip', 'hf', 'safetensors', 'onnx'] as const;
/** A format that `cleanclip convert` writes. */
export type Conversion = (typeof conversions)[number];

/** The flags of `cleanclip convert`. */
export const convertFlags = {
  to: text({
    doc:
      'what OUT becomes (required): openai a .pt state dict; safetensors one file; open_clip, hf a folder; onnx a ' +
      'folder of image.onnx and text.onnx',
    default: undefined,
    choices: conversions,
  }),
  dtype: text({
    doc: 'dtype of the stored weights; an ONNX model of fp16 also computes in it',
    default: 'fp32',
    choices: ['fp32', 'fp16'],
  }),
  model_name: text({
    doc: 'the configuration of the model in IN, where it does not say: a name, a .json file, or the folder of a model',
    default: undefined,
    unit: 'name|file',
    defaultText: 'as IN says, else by its shapes',
  }),
  activation: text({
    doc: "activation of the model's MLPs, where IN does not say it",
    default: undefined,
    choices: ['quick_gelu', 'gelu'],
    defaultText: 'as IN says, else quick_gelu, with a warning',
  }),
};

/** The arguments of `cleanclip convert`. */
export const convertArguments = {
  input: text({
    doc:
      "the model: a file or folder that loadClip takes, or the name of one of OpenAI's models for its released " +
      'weights',
    default: undefined,
    unit: 'in',
  }),
  output: text({ doc: 'the file or folder to write; it must not exist yet', default: undefined, unit: 'out' }),
};
