// The whole weight files and folders that the fuzz harness mutates: a few kB each, of every format that is read.
const { mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { crc32 } = require('node:zlib');

const cc = require('../../dist');
const { huggingFaceState } = require('../../dist/convert/hugging_face_names');
const { writeOpenClip } = require('../../dist/convert/open_clip');
const { outgoing } = require('../../dist/convert/state');

const { torch } = cc;

const text = (value) => `X${String.fromCharCode(value.length, 0, 0, 0)}${value}`;

/** Sizes of CLIPs of a few hundred weights. */
const tiny = {
  embedDim: 4,
  contextLength: 4,
  vocabularySize: 8,
  textWidth: 8,
  textHeads: 1,
  textLayers: 1,
  imageSize: 4,
};
const models = {
  vit: { ...tiny, visionHeads: 1, visionLayers: 1, visionWidth: 8, visionPatchSize: 2 },
  rn: { ...tiny, visionHeads: 1, imageSize: 32, visionLayers: [1, 1, 1, 1], visionWidth: 8, embedDim: 4 },
};

/**
 * A pickle of one tensor of three elements, as the formats before torch 1.6 and TorchScript hold one; `extra` goes in
 * front.
 */
function tensorPickle(key, count, dtype = 'FloatStorage') {
  const storage = `(${text('storage')}ctorch\n${dtype}\n${text(key)}${text('cpu')}K${String.fromCharCode(count)}`;
  return {
    storage,
    whole: (end) =>
      `ctorch._utils\n_rebuild_tensor_v2\n((${storage.slice(1)}${end}` +
      `K\x00K${String.fromCharCode(count)}\x85K\x01\x85\x89` +
      'ccollections\nOrderedDict\n)RtR',
  };
}

function legacy() {
  const long = '\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19';
  const pickle = (body) => Buffer.from(`\x80\x02${body}.`, 'latin1');
  const elements = Buffer.alloc(8 + 12);
  elements.writeBigInt64LE(3n);
  elements.writeFloatLE(1.5, 8);
  return Buffer.concat([
    pickle(long),
    pickle('M\xe9\x03'),
    pickle(`}${text('little_endian')}\x88s`),
    pickle(`}${text('w')}${tensorPickle('5', 3).whole('NtQ')}s`),
    pickle(`](${text('5')}e`),
    elements,
  ]);
}

/** A zip file of stored records. */
function zip(records) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, content] of Object.entries(records)) {
    const bytes = Buffer.from(content, 'latin1');
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt32LE(crc32(bytes), 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt32LE(bytes.length, 22);
    head.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    head.copy(entry, 16, 14, 30);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(head, Buffer.from(name), bytes);
    at += 30 + name.length + bytes.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(records).length, 8);
  end.writeUInt16LE(Object.keys(records).length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}

const script = () =>
  zip({
    'x/data.pkl':
      `\x80\x02c__torch__.m\nNet\n)\x81}(${text('w')}${tensorPickle('0', 3).whole('tQ')}` +
      `${text('training')}\x89ub.`,
    'x/code/__torch__/m.py':
      'class Net(Module):\n  __parameters__ = ["w", ]\n  __buffers__ = []\n  w : Tensor\n  training : bool\n',
    'x/constants.pkl': '\x80\x02).',
    'x/data/0': '\0'.repeat(12),
  });

/** Objects of other classes and numpy's beside a tensor. */
const objects = () =>
  zip({
    'x/data.pkl':
      `\x80\x02}(${text('w')}${tensorPickle('0', 3).whole('tQ')}${text('args')}` +
      `cargparse\nNamespace\n)\x81}${text('lr')}G?\xf0\0\0\0\0\0\0sb` +
      `${text('counts')}ccollections\nCounter\n}${text('a')}K\x02s\x85R` +
      `${text('array')}cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85` +
      `c_codecs\nencode\n(${text('b')}${text('latin1')}tRtR` +
      `(K\x01K\x02\x85cnumpy\ndtype\n(${text('i2')}\x89\x88tR` +
      `(K\x03${text('<')}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89` +
      `c_codecs\nencode\n(${text('abcd')}${text('latin1')}tRtbu.`,
    'x/data/0': '\0'.repeat(12),
  });

/** What transformers would write beside a model of these sizes; eos_token_id 2 reads a text at its highest id. */
const hfConfigOf = (c) => {
  const tower = (width, heads) => ({
    hidden_size: width,
    intermediate_size: 4 * width,
    num_hidden_layers: 1,
    num_attention_heads: heads,
    hidden_act: 'quick_gelu',
  });
  const text = {
    ...tower(c.textWidth, c.textHeads),
    vocab_size: c.vocabularySize,
    max_position_embeddings: c.contextLength,
    eos_token_id: 2,
  };
  const vision = { ...tower(c.visionWidth, c.visionHeads), image_size: c.imageSize, patch_size: c.visionPatchSize };
  return {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: c.embedDim,
    text_config: text,
    vision_config: vision,
  };
};
const processor = (c) => ({
  do_resize: true,
  size: { shortest_edge: c.imageSize },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: c.imageSize, width: c.imageSize },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
});

/** Folders as open_clip and transformers write them, the last one in two shards. */
function writeFolders(folder) {
  const made = (name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  for (const [name, sizes] of Object.entries(models))
    writeOpenClip(made(`open_clip_${name}`), outgoing(cc.loadClip(sizes, { seed: 1 }), false));
  const state = huggingFaceState(outgoing(cc.loadClip(models.vit, { seed: 1 }), false).state);
  const halves = [0, 1].map((half) => Object.fromEntries(Object.entries(state).filter((_, i) => i % 2 === half)));
  const shardOf = (half) => `model-0000${half + 1}-of-00002.safetensors`;
  const index = {
    metadata: {},
    weight_map: Object.fromEntries(
      halves.flatMap((part, half) => Object.keys(part).map((key) => [key, shardOf(half)])),
    ),
  };
  const [whole, sharded] = [made('hf'), made('hf_shards')];
  for (const place of [whole, sharded])
    writeFileSync(join(place, 'config.json'), JSON.stringify(hfConfigOf(models.vit)));
  writeFileSync(join(whole, 'preprocessor_config.json'), JSON.stringify(processor(models.vit)));
  torch.save(state, join(whole, 'model.safetensors'));
  halves.forEach((part, half) => torch.save(part, join(sharded, shardOf(half))));
  writeFileSync(join(sharded, 'model.safetensors.index.json'), JSON.stringify(index));
}

/** Writes them into a folder. */
function writeSeeds(folder) {
  const values = {
    a: torch.arange(6).to({ dtype: 'float32' }).reshape([2, 3]),
    b: torch.ones([2], { dtype: 'bfloat16' }),
    c: torch.ones([1], { dtype: 'bool' }),
  };
  torch.save(
    {
      epoch: 3,
      state_dict: { ...values, view: values.a.t() },
      optimizer: { state: {}, param_groups: [] },
      names: ['x', new Set([1])],
    },
    join(folder, 'value.pt'),
  );
  torch.save(values, join(folder, 'value.safetensors'));
  for (const [name, sizes] of Object.entries(models)) {
    const clip = cc.loadClip(sizes, { seed: 1 });
    torch.save(clip.stateDict(), join(folder, `${name}.pt`));
    torch.save(clip.stateDict(), join(folder, `${name}.safetensors`));
  }
  writeFolders(folder);
  for (const [name, make] of Object.entries({ legacy, script, objects }))
    writeFileSync(join(folder, `${name}.pt`), make());
}

module.exports = { writeSeeds };
