import { extname } from 'node:path';

import { type TarMember, TarReader } from '../data/tar_members';

/**
 * The images of a tar that a download wrote before, by their URL. The number of a row does not tell them: the tsv may
 * have changed since.
 */
export class EarlierTar {
  private readonly reader: TarReader;
  private readonly images = new Map<string, TarMember>();

  /** @throws CleanclipError ERR_DATA: the file is no tar */
  constructor(file: string) {
    this.reader = new TarReader(file);
    const members = [...this.reader.members()];
    const images = new Map<string, TarMember>();
    for (const member of members) {
      const kind = extname(member.path);
      const key = member.path.slice(0, -kind.length);
      if (kind === '.json') {
        const image = images.get(key);
        const url = this.urlOf(member);
        if (image !== undefined && url !== undefined) this.images.set(url, image);
      } else if (kind !== '.txt') images.set(key, member);
    }
  }

  /** Reads the image of a URL; undefined if the tar has none. */
  read(url: string): Buffer | undefined {
    const member = this.images.get(url);
    return member && Buffer.from(this.reader.read(member));
  }

  /** Closes the file. */
  close(): void {
    this.reader.close();
  }

  private urlOf(member: TarMember): string | undefined {
    try {
      const { url } = JSON.parse(this.reader.read(member).toString()) as { url?: string };
      return url;
    } catch {
      return undefined;
    }
  }
}
