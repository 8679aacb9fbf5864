import type { BatchTensors } from '../data/batch_tensors';
import type { Rows } from '../losses';
import { embedBatch, type Embeds } from '../losses/embed_batch';
import { type Tensor, torch } from '../torch';
import type { StepModel } from './step_model';

type Key = keyof Embeds;

/**
 * Computes the gradients of a loss over a whole batch part by part (GradCache, Gao et al. 2021). Only the activations
 * of one part are in memory at a time. First it computes the features of all parts without a graph, and the loss with
 * its gradient for the features. Then it runs each part again with its graph, and propagates that gradient through it.
 * The gradients are exact, except that batch norm sees the parts. It costs one extra forward pass.
 * @param model the model, and how its gradients are exchanged
 * @param batch the whole batch
 * @param parts number of parts; at most one per pair is used
 * @param lossOf computes the loss from the features of all rows; it is called once
 * @param scale scales the loss, and so the gradients; default: none
 * @returns what `lossOf` returned
 */
export function cachedBackward<Losses extends { loss: Tensor }>(
  model: StepModel,
  batch: BatchTensors,
  parts: number,
  lossOf: (embeds: Embeds) => Losses,
  scale = (loss: Tensor): Tensor => loss,
): Losses {
  const ranges = split(batch.ids.shape[0], parts);
  const embed = (rows: Rows): Embeds => torch.tidy(() => embedBatch(model, batch, rows, true));
  const leaves = torch.tidy(() => leavesOf(torch.noGrad(() => ranges.map(embed))));
  const keys = Object.keys(leaves) as Key[];
  const losses = lossOf(leaves);
  model.lossBackward(scale(losses.loss));
  const used = keys.filter((key) => leaves[key]!.grad !== null); // a batch of only poisoned pairs has no in-modal loss
  const part = ({ start, length }: Rows): void =>
    torch.tidy(() => {
      const embeds = embedBatch(model, batch, { start, length });
      const throughFeatures = used.map((key) => embeds[key]!.mul(leaves[key]!.grad!.narrow(0, start, length)).sum());
      model.backward(throughFeatures.reduce((sum, term) => sum.add(term)));
    });
  model.noSync(() => ranges.slice(0, -1).forEach(part));
  part(ranges.at(-1)!);
  return losses;
}

/** Splits rows into parts of neighbouring rows, as equal in size as possible. */
function split(count: number, parts: number): Rows[] {
  const all = Math.min(parts, count);
  return Array.from({ length: all }, (_, i) => {
    const [start, end] = [i, i + 1].map((bound) => Math.floor((bound * count) / all));
    return { start, length: end - start };
  });
}

/** Joins the features of all parts, as leaves of a graph. */
function leavesOf(parts: Embeds[]): Embeds {
  const joined = Object.keys(parts[0]).map((key) => {
    const leaf = torch.cat(parts.map((embeds) => embeds[key as Key]!));
    leaf.requiresGrad = true;
    return [key, leaf];
  });
  return Object.fromEntries(joined) as Embeds;
}
