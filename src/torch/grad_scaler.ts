import { CleanclipError } from '../errors';
import { noGrad } from './autograd';
import { full, ones, zeros } from './factories';
import type { AdamW } from './optim';
import { PyFloat } from './python_values';
import { keep } from './scope';
import { invokeByName, type Tensor } from './tensor';

/** How a {@link GradScaler} scales; the defaults are those of torch.amp.GradScaler. */
export interface GradScalerOptions {
  /** where the loss and the gradients are; default 'cuda' */
  device?: string;
  /** the scale at first; default 65536 */
  initScale?: number;
  /** multiplies the scale after `growthInterval` steps without an overflow; default 2 */
  growthFactor?: number;
  /** multiplies the scale after a step with an overflow; default 0.5 */
  backoffFactor?: number;
  /** steps without an overflow until the scale grows; default 2000 */
  growthInterval?: number;
}

/** The state of a scaler, as torch.amp.GradScaler's `state_dict()` has it. */
export interface GradScalerState {
  scale: number | PyFloat;
  growth_factor: number | PyFloat;
  backoff_factor: number | PyFloat;
  growth_interval: number;
  /** steps since the scale last changed */
  _growth_tracker: number;
}

/**
 * Scales the loss so that small gradients do not vanish in float16, and skips a step whose gradients overflow
 * (torch.amp.GradScaler, after Micikevicius et al. 2018). Nothing in a step waits for the device: the fused kernel of
 * AdamW divides by the scale, and does nothing after an overflow.
 *
 * @example
 * const scaler = new torch.GradScaler();
 * scaler.scale(loss).backward();
 * scaler.step(optimizer);
 * scaler.update();
 */
export class GradScaler {
  private readonly factor: Tensor; // float32 []
  private readonly growthTracker: Tensor; // int32 [], steps since the scale last changed
  private readonly foundInf: Tensor; // float32 [], 1 between a step that overflowed and the update
  private readonly one: Tensor; // float32 []
  private growthFactor: number;
  private backoffFactor: number;
  private growthInterval: number;

  /** @throws CleanclipError `ERR_TORCH` when the device is missing */
  constructor({
    device = 'cuda',
    initScale = 65536,
    growthFactor = 2,
    backoffFactor = 0.5,
    growthInterval = 2000,
  }: GradScalerOptions = {}) {
    this.factor = keep(full([], initScale, { device }));
    this.growthTracker = keep(zeros([], { device, dtype: 'int32' }));
    this.foundInf = keep(zeros([], { device }));
    this.one = keep(ones([], { device }));
    this.growthFactor = growthFactor;
    this.backoffFactor = backoffFactor;
    this.growthInterval = growthInterval;
  }

  /**
   * Multiplies the loss by the scale.
   * @param loss of any floating point dtype, on the scaler's device
   * @returns of the loss's shape and dtype; a float16 or bfloat16 loss without dimensions becomes float32
   */
  scale(loss: Tensor): Tensor {
    return loss.mul(this.factor);
  }

  /**
   * Makes a step of the optimizer on scaled gradients, or none if an element of them is not finite. A scaler serves one
   * optimizer.
   * @param optimizer its parameters' `grad` come from the backward of a scaled loss, and are on the scaler's device
   */
  step(optimizer: AdamW): void {
    noGrad(() =>
      invokeByName('aten::_amp_foreach_non_finite_check_and_unscale_', [
        optimizer.gradients(),
        this.foundInf,
        this.one,
      ]),
    );
    optimizer.step({ gradScale: this.factor, foundInf: this.foundInf });
  }

  /**
   * Lowers the scale after a step that overflowed, and raises it after `growthInterval` steps that did not. Call it
   * once after each step.
   */
  update(): void {
    const { factor, growthTracker, foundInf, growthFactor, backoffFactor, growthInterval } = this;
    invokeByName('aten::_amp_update_scale_', [
      factor,
      growthTracker,
      foundInf,
      growthFactor,
      backoffFactor,
      growthInterval,
    ]);
    foundInf.zero_();
  }

  /** Copies the scale to a new tensor, float32 [] on the scaler's device. */
  currentScale(): Tensor {
    return this.factor.clone();
  }

  /** Returns the scale as a number; waits for the device. */
  getScale(): number {
    return this.factor.item();
  }

  /** Returns the state as torch.amp.GradScaler's `state_dict()` has it; waits for the device. */
  stateDict(): GradScalerState {
    return {
      scale: new PyFloat(this.getScale()),
      growth_factor: new PyFloat(this.growthFactor),
      backoff_factor: new PyFloat(this.backoffFactor),
      growth_interval: this.growthInterval,
      _growth_tracker: this.growthTracker.item(),
    };
  }

  /**
   * Takes over a state of torch.amp.GradScaler or of {@link stateDict}.
   * @throws CleanclipError `ERR_CHECKPOINT` when it is no such state
   */
  loadStateDict(state: GradScalerState): void {
    const names = ['scale', '_growth_tracker', 'growth_factor', 'backoff_factor', 'growth_interval'] as const;
    const [scale, growthTracker, ...factors] = names.map((name) => numberIn(state, name));
    this.factor.fill_(scale);
    this.growthTracker.fill_(growthTracker);
    [this.growthFactor, this.backoffFactor, this.growthInterval] = factors;
  }
}

function numberIn(state: GradScalerState, name: keyof GradScalerState): number {
  const given: unknown = typeof state === 'object' && state !== null ? state[name] : undefined;
  const value: unknown = given instanceof PyFloat ? given.value : given;
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value;
  throw new CleanclipError(
    `The state of a GradScaler has a number '${name}', but this one has ${String(value)}; it is not from ` +
      'torch.amp.GradScaler.',
    'ERR_CHECKPOINT',
  );
}

/**
 * Makes a step of the optimizer. With a scaler, the gradients are those of a loss that it has scaled, and its update
 * follows the step.
 */
export function stepWith(optimizer: AdamW, scaler?: GradScaler): void {
  if (scaler === undefined) return optimizer.step();
  scaler.step(optimizer);
  scaler.update();
}
