import { flag, integer, text } from './define';

/** The options of classifiers on the image encoder: linear probe and supervised finetuning. */
export const classifyOptions = {
  eval_train_data_dir: text({
    doc: 'folder of the labelled training images of --linear_probe and --finetune',
    default: undefined,
    unit: 'folder',
  }),
  linear_probe: flag(
    'measure with a linear classifier on the frozen image features (learning rate 0.005) instead of zero-shot',
  ),
  finetune: flag(
    'train the image encoder and a linear classifier on --eval_train_data_dir, with --lr and --num_warmup_steps',
  ),
  linear_probe_batch_size: integer({
    doc: 'images in a step of --linear_probe and --finetune',
    default: 80,
    min: 1,
    unit: 'images',
  }),
  linear_probe_num_epochs: integer({
    doc: 'passes over the labelled training images of --linear_probe and --finetune',
    default: 10,
    min: 1,
    unit: 'epochs',
  }),
  checkpoint_finetune: text({
    doc:
      'finetune.pt of an earlier --finetune, to measure its classifier; with --checkpoint and without --finetune ' +
      'it replaces only the image encoder',
    default: undefined,
    unit: 'file',
  }),
  backdoor_sufi: flag(
    'poison the labelled training images: put the trigger on --num_backdoor of them, and give these the class --label',
  ),
  num_backdoor: integer({
    doc: 'how many images --backdoor_sufi poisons',
    default: undefined,
    min: 1,
    unit: 'images',
    defaultText: '1000, at most half of the images',
  }),
};
