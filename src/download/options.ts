import type { Resolved } from '../options/define';
import type { downloadOptions } from '../options/download';

/** Options of `download`: the flags of `cleanclip download` in camelCase. */
export type DownloadOptions = Resolved<typeof downloadOptions> & { file: string; dir: string };
