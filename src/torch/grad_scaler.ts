import { CleanclipError } from '../errors';
import { noGrad } from './autograd';
import { full, ones, zeros } from './factories';
import type { AdamW } from './optim';
import { PyFloat } from './python_values';
import { keep } from './scope';
import { invokeByName, type Tensor } from './tensor';

/** How a {@link GradScaler} scales; defaults as torch.amp.GradScaler. */
export interface GradScalerOptions {
  /** default 'cuda' */
  device?: string;
  /** default 65536 */
  initScale?: number;
  /** the scale times this, after `growthInterval` steps without an overflow; default 2 */
  growthFactor?: number;
  /** the scale times this, after a step with one; default 0.5 */
  backoffFactor?: number;
  /** default 2000 */
  growthInterval?: number;
}

/** torch's layout of a scaler's state. */
export interface GradScalerState {
  scale: number | PyFloat;
  growth_factor: number | PyFloat;
  backoff_factor: number | PyFloat;
  growth_interval: number;
  _growth_tracker: number;
}

/**
 * Scales the loss so that small gradients do not vanish in float16, and leaves a step out whose gradients overflow
 * (torch.amp.GradScaler, after Micikevicius et al. 2018). Nothing in a step waits for the device: the fused kernel of
 * AdamW divides by the scale, and does nothing where there was an overflow.
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
  private readonly foundInf: Tensor; // float32 [], 1 from a step that overflowed to the update
  private readonly one: Tensor; // float32 []
  private growthFactor: number;
  private backoffFactor: number;
  private growthInterval: number;

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

  /** The loss times the scale. */
  scale(loss: Tensor): Tensor {
    return loss.mul(this.factor);
  }

  /**
   * A step of the optimizer on scaled gradients, or none if one of their elements is not finite. One optimizer to a
   * scaler.
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

  /** Lowers the scale after a step that overflowed, and raises it after enough without; once after each step. */
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

  /** The scale, float32 []: a copy, on the device. */
  currentScale(): Tensor {
    return this.factor.clone();
  }

  /** The scale as a number; waits for the device. */
  getScale(): number {
    return this.factor.item();
  }

  /** The state as torch's `state_dict()` lays it out; waits for the device. */
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
   * Takes over a `state_dict()` of torch.amp.GradScaler or from here.
   * @throws CleanclipError `ERR_CHECKPOINT` when it is none
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
    `The state of a GradScaler has a number '${name}', but this one has ${String(value)}; it is not of ` +
      'torch.amp.GradScaler.',
    'ERR_CHECKPOINT',
  );
}

/**
 * A step of the optimizer, on gradients of a loss that the scaler has scaled, if there is one; it ends with the
 * scaler's update.
 */
export function stepWith(optimizer: AdamW, scaler?: GradScaler): void {
  if (scaler === undefined) return optimizer.step();
  scaler.step(optimizer);
  scaler.update();
}
