import type { BatchTensors } from '../data/batch_tensors';
import type { Rows } from '../losses';
import { embedBatch, type Embeds } from '../losses/embed_batch';
import { type Tensor, torch } from '../torch';
import type { StepModel } from './step_model';

type Key = keyof Embeds;

/**
 * The gradients of a loss over a whole batch, with the activations of one part of it in memory at a time (GradCache,
 * Gao et al. 2021): the features of all parts without a graph, the loss and its gradient for the features, then each
 * part once more with its graph, and that gradient through it. Exact, but for batch norm, which sees the parts. It
 * takes a forward pass more.
 * @param parts how many; at most one a pair
 * @param lossOf the loss of the features of all rows, which is called once
 * @param scale of the loss and so of the gradients; default: none
 * @returns what `lossOf` gave
 */
export function cachedBackward<Losses extends { loss: Tensor }>(
  model: StepModel,
  batch: BatchTensors,
  parts: number,
  lossOf: (embeds: Embeds) => Losses,
  scale = (loss: Tensor): Tensor => loss,
): Losses {
  const ranges = split(batch.ids.shape[0], parts);
  const cached = torch.noGrad(() => ranges.map((rows) => torch.tidy(() => embedBatch(model, batch, rows, true))));
  const keys = Object.keys(cached[0]) as Key[];
  const leaves = Object.fromEntries(keys.map((key) => [key, leafOf(cached.map((embeds) => embeds[key]!))])) as Record<
    Key,
    Tensor
  >;
  const losses = lossOf(leaves);
  model.lossBackward(scale(losses.loss));
  const used = keys.filter((key) => leaves[key].grad !== null); // a batch of poisoned pairs alone has no in-modal loss
  const part = ({ start, length }: Rows): void =>
    torch.tidy(() => {
      const embeds = embedBatch(model, batch, { start, length });
      const throughFeatures = used.map((key) => embeds[key]!.mul(leaves[key].grad!.narrow(0, start, length)).sum());
      model.backward(throughFeatures.reduce((sum, term) => sum.add(term)));
    });
  model.noSync(() => ranges.slice(0, -1).forEach(part));
  part(ranges.at(-1)!);
  return losses;
}

/** Neighbouring rows, as equally many in each part as possible. */
function split(count: number, parts: number): Rows[] {
  const all = Math.min(parts, count);
  return Array.from({ length: all }, (_, i) => {
    const [start, end] = [i, i + 1].map((bound) => Math.floor((bound * count) / all));
    return { start, length: end - start };
  });
}

function leafOf(parts: Tensor[]): Tensor {
  const joined = torch.cat(parts);
  joined.requiresGrad = true;
  return joined;
}
