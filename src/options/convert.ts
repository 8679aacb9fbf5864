import { text } from './define';

/** What a model is written as. */
export const conversions = ['openai', 'open_clip', 'hf', 'safetensors', 'onnx'] as const;
/** A form that `cleanclip convert` writes. */
export type Conversion = (typeof conversions)[number];

/** The flags of `cleanclip convert`, whose arguments IN and OUT are `input` and `output` in the API. */
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

/** The options of a conversion. */
export const convertOptions = {
  input: text({
    doc:
      "the model: a file or folder that loadClip takes, or the name of one of OpenAI's models for its released " +
      'weights',
    default: undefined,
  }),
  output: text({ doc: 'the file or folder to write; there must be none of that name', default: undefined }),
  ...convertFlags,
};
