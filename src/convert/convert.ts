import { readdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';

import { CleanclipError, optionError } from '../errors';
import { refuseExisting, writeFolderWhole } from '../folders';
import type { Conversion } from '../options/convert';
import type { JobHooks } from '../progress';
import { writeOpenai, writeSafetensors } from './files';
import { checkHuggingFace, writeHuggingFace } from './hugging_face';
import { writeOnnx } from './onnx';
import { type ModelSource, openModel } from './open';
import { writeOpenClip } from './open_clip';
import { type Outgoing, outgoing } from './state';

/** Options of `convert`: those of `cleanclip convert` in camelCase. */
export interface ConvertOptions extends ModelSource {
  /** the file or folder to write; it must not exist */
  output: string;
  /** the format to write */
  to: Conversion;
  /** dtype of the stored weights; default 'fp32' */
  dtype?: 'fp32' | 'fp16';
}

/** What `convert` wrote. */
export interface ConvertResult {
  /** absolute path of the file or folder */
  output: string;
  /** sorted names of the files in that folder; for a single file, its name */
  files: string[];
}

/** A format. `check` refuses models that it cannot hold, before anything is written. */
interface Format {
  folder: boolean;
  check?(model: Outgoing): void;
  write(path: string, model: Outgoing): void;
}

const formats: Record<Conversion, Format> = {
  openai: { folder: false, write: writeOpenai },
  safetensors: { folder: false, write: writeSafetensors },
  open_clip: { folder: true, write: writeOpenClip },
  hf: { folder: true, check: ({ config }) => checkHuggingFace(config), write: writeHuggingFace },
  onnx: { folder: true, write: (folder, model) => writeOnnx(folder, model) },
};

/**
 * Writes a model in the format of another library. The file or folder appears whole or not at all, and never replaces
 * another.
 * @throws CleanclipError `ERR_OPTION` for an output that exists or does not fit the format, or a model that the format
 * cannot express; `ERR_CHECKPOINT` for a file without a CLIP, or weights that float16 cannot hold; `ERR_DATA` when the
 * output cannot be written; `ERR_ABORTED` when the signal aborts it
 */
export async function runConvert(options: ConvertOptions, hooks: JobHooks = {}): Promise<ConvertResult> {
  const { output, to, dtype = 'fp32' } = options;
  checkOutput(output, to);
  const clip = await openModel(options, hooks);
  try {
    if (hooks.signal?.aborted)
      throw new CleanclipError('The conversion was stopped; nothing was written.', 'ERR_ABORTED');
    const { folder, check, write } = formats[to];
    const model = outgoing(clip, dtype === 'fp16');
    check?.(model);
    if (folder) await writeFolderWhole(output, async (temporary) => write(temporary, model));
    else write(resolve(output), model);
    return { output: resolve(output), files: folder ? readdirSync(output).sort() : [basename(output)] };
  } finally {
    clip.dispose();
  }
}

/**
 * Checks the path of the output.
 * @throws CleanclipError `ERR_OPTION` when it exists, or its ending does not fit the format
 */
export function checkOutput(output: string, to: Conversion): void {
  if (output === '' || output.includes('\0'))
    throw optionError('OUT must be the path of a file or folder, but it is empty or has a null character.');
  const safetensors = output.endsWith('.safetensors');
  if (to === 'safetensors' && !safetensors)
    throw optionError(`--to safetensors writes a file whose name ends with .safetensors, but OUT is '${output}'.`);
  if (to !== 'safetensors' && safetensors)
    throw optionError(
      `--to ${to} writes no .safetensors file, but OUT is '${output}'; name ` +
        `a ${formats[to].folder ? 'folder' : '.pt file'}.`,
    );
  refuseExisting(output);
}
