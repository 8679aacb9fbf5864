import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { CleanclipError } from '../errors';
import { readRegular } from '../input_files';
import type { ClipConfig } from './config';
import { hfConfig, isHfConfig } from './hf_config';
import { isOpenClipConfig, openClipConfig } from './open_clip_config';

/** A configuration, and a phrase for messages that says where it comes from. */
export interface Stated {
  config: ClipConfig;
  by: string;
}

/** The weights of a model, and the configuration found beside them. */
export interface Weights {
  /** files of the weights; several for a sharded model */
  files: string[];
  stated?: Stated;
}

const OPEN_CLIP = 'open_clip_config.json';
const HF = 'config.json';

/** The files of weights that may lie beside each kind of configuration. The first that exists is used. */
const weightsOf: Record<string, readonly string[]> = {
  [OPEN_CLIP]: [
    'open_clip_model.safetensors',
    'open_clip_pytorch_model.safetensors',
    'open_clip_pytorch_model.bin',
    'open_clip_pytorch_model.pth',
  ],
  [HF]: ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin', 'pytorch_model.bin.index.json'],
};

/** The largest configuration or index to read, in bytes; real ones are far smaller. */
const JSON_BYTES = 64 * 2 ** 20;

/** Tells whether there is a folder at `path`. */
export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * Finds the weights that a path names, and the configuration beside them. The path is a file, or a folder written by
 * open_clip or transformers. It may also be a model's folder in the cache of the Hugging Face hub, or a snapshot in
 * that folder.
 * @throws CleanclipError `ERR_CHECKPOINT` for a folder that holds no model, or one of another kind
 */
export function findWeights(path: string): Weights {
  if (!isFolder(path)) return { files: [path], stated: configBeside(path) };
  const folder = inHubCache(path);
  for (const [json, candidates] of Object.entries(weightsOf)) {
    if (!existsSync(join(folder, json))) continue;
    const name =
      candidates.find((candidate) => existsSync(join(folder, candidate))) ??
      (json === OPEN_CLIP ? onlyWeights(folder) : undefined);
    if (name === undefined) continue;
    const file = join(folder, name);
    return { files: name.endsWith('.index.json') ? shards(file) : [file], stated: statedBy(join(folder, json)) };
  }
  throw new CleanclipError(
    `The folder '${path}' holds no model: expected ${OPEN_CLIP} beside ${weightsOf[OPEN_CLIP][0]}, or ${HF} ` +
      `beside ${weightsOf[HF][0]}, or files like these; give such a folder, or a file.`,
    'ERR_CHECKPOINT',
  );
}

/** Reads the configuration of a folder; returns undefined when it has none. */
export function configOfFolder(path: string): ClipConfig | undefined {
  const folder = inHubCache(path);
  const json = [OPEN_CLIP, HF].find((name) => existsSync(join(folder, name)));
  return json === undefined ? undefined : statedBy(join(folder, json)).config;
}

/**
 * Reads a JSON file.
 * @throws CleanclipError `ERR_CHECKPOINT` when it cannot be read or parsed
 */
export function readJson(path: string): unknown {
  const text = readRegular(path, { wanted: 'a JSON file', maxBytes: JSON_BYTES, code: 'ERR_CHECKPOINT' }).toString(
    'utf8',
  );
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CleanclipError(`'${path}' cannot be read as JSON: ${(error as Error).message}.`, 'ERR_CHECKPOINT');
  }
}

/** Reads the configuration beside a file, if the file has the name that it would have in the folder of a model. */
function configBeside(path: string): Stated | undefined {
  const json = Object.keys(weightsOf).find(
    (name) => weightsOf[name].includes(basename(path)) && existsSync(join(dirname(path), name)),
  );
  return json === undefined ? undefined : statedBy(join(dirname(path), json));
}

function statedBy(path: string): Stated {
  const json = readJson(path);
  if (isOpenClipConfig(json)) return { config: openClipConfig(json, path), by: path };
  if (!isHfConfig(json))
    throw new CleanclipError(
      `'${path}' is not the configuration of a model of open_clip or Hugging Face.`,
      'ERR_CHECKPOINT',
    );
  const processor = ['preprocessor_config.json', 'processor_config.json']
    .map((name) => join(dirname(path), name))
    .find((file) => existsSync(file));
  return { config: hfConfig(json, path, processor && readJson(processor)), by: path };
}

/** Returns the only file of weights in a folder, or undefined when there is none, or more than one. */
function onlyWeights(folder: string): string | undefined {
  const found = readdirSync(folder).filter((name) => /\.(safetensors|bin|pth|pt)$/.test(name));
  return found.length === 1 ? found[0] : undefined;
}

/** Returns the files that an index names. They must lie beside it. */
function shards(index: string): string[] {
  const json = readJson(index) as { weight_map?: Record<string, unknown> } | null;
  const names = [...new Set(Object.values(json?.weight_map ?? {}))];
  const sound = (name: unknown): name is string => typeof name === 'string' && name !== '' && basename(name) === name;
  if (names.length === 0 || !names.every(sound))
    throw new CleanclipError(
      `'${index}' is not the index of a sharded model: its weight_map must name files beside it.`,
      'ERR_CHECKPOINT',
    );
  return names.map((name) => join(dirname(index), name));
}

/**
 * Returns the snapshot of a model in the cache of the Hugging Face hub (`models--…/snapshots/<revision>`): the one of
 * `main`, or the only one. A path outside the cache is returned unchanged.
 */
function inHubCache(path: string): string {
  const snapshots = join(path, 'snapshots');
  if (!isFolder(snapshots)) return path;
  const main = join(path, 'refs/main');
  const named = existsSync(main)
    ? join(
        snapshots,
        basename(
          readRegular(main, { wanted: 'the name of a snapshot', maxBytes: 1024, code: 'ERR_CHECKPOINT' })
            .toString('utf8')
            .trim(),
        ),
      )
    : '';
  const revisions = readdirSync(snapshots);
  if (isFolder(named)) return named;
  if (revisions.length === 1) return join(snapshots, revisions[0]);
  throw new CleanclipError(
    `'${path}' has ${revisions.length} snapshots, and none of them is main; give the folder of one.`,
    'ERR_CHECKPOINT',
  );
}
