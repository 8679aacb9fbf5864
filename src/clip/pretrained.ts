import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';

import { CleanclipError, optionError } from '../errors';
import { removeLeftovers } from '../files';
import { cacheFolder, homeFolder } from '../paths';
import { download, type OnBytes } from './download';

/** A file of OpenAI's weights and the SHA-256 of its bytes, which is also part of its URL. */
interface Release {
  file: string;
  sha256: string;
}

/**
 * The files that OpenAI released, by model name: TorchScript archives. Source: `_MODELS` of the Python package clip.
 */
export const releases: Record<string, Release> = {
  RN50: { file: 'RN50.pt', sha256: 'afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762' },
  RN101: { file: 'RN101.pt', sha256: '8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599' },
  RN50x4: { file: 'RN50x4.pt', sha256: '7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd' },
  'ViT-B/32': { file: 'ViT-B-32.pt', sha256: '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af' },
  'ViT-B/16': { file: 'ViT-B-16.pt', sha256: '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f' },
  'ViT-L/14': { file: 'ViT-L-14.pt', sha256: 'b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836' },
};

/**
 * Returns the base URL of OpenAI's files, `<base>/<sha256>/<file>`. `CLEANCLIP_WEIGHTS_URL` replaces it with a mirror.
 */
const address = (): string => process.env.CLEANCLIP_WEIGHTS_URL || 'https://openaipublic.azureedge.net/clip/models';

/** Returns the folder that keeps downloaded weights. */
const weightsCache = (): string => join(cacheFolder(), 'clip');

/** Returns the folder where the Python packages clip and open_clip keep the same files. */
const pythonCache = (): string | undefined => {
  const home = homeFolder();
  return home && join(home, '.cache', 'clip');
};

/**
 * Refuses a model for which OpenAI has released no weights.
 * @throws CleanclipError `ERR_OPTION` naming the models that have weights
 */
export function checkReleased(modelName: string): void {
  if (!Object.hasOwn(releases, modelName)) {
    throw optionError(
      `OpenAI has released no weights of '${modelName}', only of ${Object.keys(releases).join(', ')}; choose ` +
        'one of these, or load a file.',
    );
  }
}

/**
 * Finds or downloads the file of OpenAI's weights of a model. It looks in the cache of this project
 * (`$CLEANCLIP_CACHE/clip` or `~/.cache/cleanclip/clip`), then in that of Python (`~/.cache/clip`). A download goes to
 * the first. The SHA-256 is checked every time.
 *
 * @param modelName 'RN50', 'RN101', 'RN50x4', 'ViT-B/32', 'ViT-B/16' or 'ViT-L/14'
 * @param onBytes is told how many bytes have arrived
 * @param signal aborts the download
 * @returns the path of the file
 * @throws CleanclipError `ERR_OPTION` for another name; `ERR_CHECKPOINT` when the download fails, or the bytes are not
 * OpenAI's; `ERR_ABORTED` when the signal aborts it
 */
export async function pretrainedFile(modelName: string, onBytes?: OnBytes, signal?: AbortSignal): Promise<string> {
  checkReleased(modelName);
  const { file, sha256 } = releases[modelName];
  const own = join(weightsCache(), file);
  const found = [weightsCache(), pythonCache()]
    .flatMap((folder) => folder ?? [])
    .map((folder) => join(folder, file))
    .find((path) => existsSync(path));
  if (found === undefined) {
    removeLeftovers(weightsCache(), 3_600_000);
    await download({
      url: `${address()}/${sha256}/${file}`,
      path: own,
      sha256,
      what: `OpenAI's weights of ${modelName}`,
      onBytes,
      signal,
    });
    return own;
  }
  if ((await sha256Of(found)) !== sha256) {
    throw new CleanclipError(
      `${found} is not the file that OpenAI released: its SHA-256 differs; delete it, or load it with --checkpoint.`,
      'ERR_CHECKPOINT',
    );
  }
  return found;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * Does the same as {@link pretrainedFile} for callers that cannot await. Another process gets the file while this
 * thread waits.
 */
export function pretrainedFileSync(modelName: string): string {
  checkReleased(modelName);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(__dirname, 'pretrained_process.js'), modelName],
    {
      encoding: 'utf8',
      env: process.env,
    },
  );
  if (status !== 0)
    throw new CleanclipError(
      stderr.trim() || `The process that fetches the weights of ${modelName} was stopped.`,
      'ERR_CHECKPOINT',
    );
  return stdout;
}
