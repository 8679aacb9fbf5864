import type { Clip } from '../clip/model';
import { tokenize } from '../clip/tokenizer';
import { torch, type Tensor } from '../torch';

const TEXTS_A_BATCH = 256;

/** Features divided by their length: float32 [N, D] → [N, D]. */
export const unit = (features: Tensor): Tensor => features.div(torch.ops.aten.linalg_vector_norm(features, 2, [-1], true));

/**
 * One unit-norm embedding a class: the mean of the unit-norm text features of its templates, made unit-norm again
 * (Radford et al. 2021, section 3.1.4).
 * @returns float32 [classes, D] on the model's device
 */
export function classEmbeddings(
  clip: Clip,
  classes: readonly string[],
  templates: readonly ((name: string) => string)[],
  device: string,
): Tensor {
  const texts = classes.flatMap((name) => templates.map((template) => template(name)));
  return torch.tidy(() =>
    torch.noGrad(() => {
      const parts: Tensor[] = [];
      for (let i = 0; i < texts.length; i += TEXTS_A_BATCH) {
        const ids = tokenize(texts.slice(i, i + TEXTS_A_BATCH), clip.config.contextLength).to({ device });
        parts.push(torch.tidy(() => unit(clip.encodeText(ids).to('float32')))); // [≤ 256, D]
      }
      const features = torch.cat(parts); // [classes · templates, D]
      return unit(features.view([classes.length, templates.length, -1]).mean([1]));
    }),
  );
}

/** Counts of right answers among the first k, for several k. */
export class TopK {
  readonly hits: Record<number, number> = {};
  total = 0;

  constructor(private readonly ks: readonly number[]) {
    for (const k of ks) this.hits[k] = 0;
  }

  /**
   * @param logits [N, classes]
   * @param wanted the class that each row should have among its top k, int64 [N]
   */
  add(logits: Tensor, wanted: Tensor): void {
    torch.tidy(() => {
      const most = Math.min(Math.max(...this.ks), logits.shape[1]);
      const [, ranked] = logits.topk(most, 1); // [N, most]
      const found = ranked.eq(wanted.unsqueeze(1));
      for (const k of this.ks) this.hits[k] += found.narrow(1, 0, Math.min(k, most)).any(1).sum().item();
      this.total += logits.shape[0];
    });
  }

  /** `{<prefix>_top1: share, …}` */
  shares(prefix: string): Record<string, number> {
    return Object.fromEntries(this.ks.map((k) => [`${prefix}_top${k}`, this.total === 0 ? 0 : this.hits[k] / this.total]));
  }
}
