import { checkNumber } from '../arguments';
import { checkOptions, CleanclipError, optionError } from '../errors';
import { show } from '../show';
import { noGrad } from './autograd';
import { tensor as makeTensor, zeros } from './factories';
import { keep } from './scope';
import { IntDict, PyFloat, PyTuple } from './serialization';
import { invokeByName, type Tensor } from './tensor';

/** Parameters that share hyperparameters. */
export interface ParameterGroup {
  parameters: Tensor[];
  weightDecay: number;
}

/** Hyperparameters of AdamW; defaults as torch.optim.AdamW. */
export interface AdamWOptions {
  lr: number;
  /** default [0.9, 0.999] */
  betas?: [number, number];
  /** default 1e-8 */
  eps?: number;
}

/** What a scaler tells an optimizer, each float32 []. */
export interface Scaling {
  gradScale: Tensor;
  /** 1 when a gradient is not finite, else 0 */
  foundInf: Tensor;
}

interface Moments {
  step: Tensor; // float32 scalar
  average: Tensor;
  averageOfSquares: Tensor;
}

/** The moments of one parameter under torch's names. */
interface ParameterState {
  step: Tensor;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
}

/** torch's layout of an optimizer's state: moments by parameter index, hyperparameters by group. */
export interface OptimizerState {
  state: { [index: string]: unknown };
  param_groups: { params: number[]; [hyperparameter: string]: unknown }[];
}

/** AdamW (Loshchilov & Hutter 2019) by libtorch's fused kernel; its state interchanges with torch.optim.AdamW. */
export class AdamW {
  lr: number;
  private readonly betas: [number, number];
  private readonly eps: number;
  private readonly state = new Map<Tensor, Moments>();

  constructor(
    private readonly groups: ParameterGroup[],
    options: AdamWOptions,
  ) {
    checkOptions("AdamW's options", options);
    checkNumber(options.lr, "AdamW's lr", 0);
    if (!Array.isArray(groups)) throw optionError(`AdamW takes a list of groups of parameters, but got ${show(groups)}.`);
    this.lr = options.lr;
    this.betas = options.betas ?? [0.9, 0.999];
    this.eps = options.eps ?? 1e-8;
  }

  /**
   * Updates every parameter that has a gradient.
   * @param scaling of a {@link GradScaler}: the gradients are so many times too large; where an overflow was found, nothing is updated
   */
  step(scaling?: Scaling): void {
    noGrad(() => {
      for (const group of this.groups) this.stepGroup(group, scaling);
    });
  }

  /** The gradients that there are. */
  gradients(): Tensor[] {
    return this.groups.flatMap(({ parameters }) => parameters.map(({ grad }) => grad).filter((grad) => grad !== null));
  }

  private stepGroup({ parameters, weightDecay }: ParameterGroup, scaling?: Scaling): void {
    const active = parameters.map((parameter) => ({ parameter, grad: parameter.grad })).filter(({ grad }) => grad !== null);
    if (active.length === 0) return;
    const moments = active.map(({ parameter }) => this.momentsOf(parameter));
    const steps = moments.map(({ step }) => step);
    invokeByName('aten::_foreach_add_', [steps, 1]);
    invokeByName('aten::_fused_adamw_', [
      active.map(({ parameter }) => parameter),
      active.map(({ grad }) => grad),
      moments.map(({ average }) => average),
      moments.map(({ averageOfSquares }) => averageOfSquares),
      [],
      steps,
      {
        lr: this.lr,
        beta1: this.betas[0],
        beta2: this.betas[1],
        weight_decay: weightDecay,
        eps: this.eps,
        amsgrad: false,
        maximize: false,
        ...(scaling && { grad_scale: scaling.gradScale, found_inf: scaling.foundInf }),
      },
    ]);
    if (scaling !== undefined) invokeByName('aten::_foreach_sub_', [steps, steps.map(() => scaling.foundInf)]); // a step left out does not count
  }

  private momentsOf(parameter: Tensor): Moments {
    let moments = this.state.get(parameter);
    if (moments === undefined) {
      const like = (): Tensor => keep(invokeByName('aten::zeros_like', [parameter]) as Tensor);
      moments = { step: keep(zeros([], { device: parameter.device })), average: like(), averageOfSquares: like() };
      this.state.set(parameter, moments);
    }
    return moments;
  }

  /** The moments of every parameter, the optimizer's own; those of one that has never had a gradient begin at 0. */
  moments(): Tensor[] {
    return this.groups.flatMap(({ parameters }) => parameters.flatMap((parameter) => Object.values(this.momentsOf(parameter)) as Tensor[]));
  }

  /** Forgets the gradients (torch's set_to_none). */
  zeroGrad(): void {
    for (const { parameters } of this.groups) for (const parameter of parameters) parameter.grad = null;
  }

  /** The state as torch.optim.AdamW's `state_dict()` lays it out. The tensors are the optimizer's own. */
  stateDict(): OptimizerState {
    const state: [index: number, ParameterState][] = [];
    let index = 0;
    const paramGroups = this.groups.map(({ parameters, weightDecay }) => {
      const params = parameters.map((parameter) => {
        const moments = this.state.get(parameter);
        if (moments !== undefined) {
          state.push([index, { step: moments.step, exp_avg: moments.average, exp_avg_sq: moments.averageOfSquares }]);
        }
        return index++;
      });
      return {
        lr: new PyFloat(this.lr),
        betas: PyTuple.from(this.betas, (beta) => new PyFloat(beta)),
        eps: new PyFloat(this.eps),
        weight_decay: new PyFloat(weightDecay),
        amsgrad: false,
        maximize: false,
        foreach: null,
        capturable: false,
        differentiable: false,
        fused: null,
        decoupled_weight_decay: true,
        params,
      };
    });
    return { state: new IntDict(state), param_groups: paramGroups };
  }

  /**
   * Takes moments over from a `state_dict()` of torch.optim.AdamW or from here; the hyperparameters stay this run's own.
   * @throws CleanclipError `ERR_CHECKPOINT` when the groups or shapes differ
   */
  loadStateDict(loaded: OptimizerState): void {
    const sizes = this.groups.map(({ parameters }) => parameters.length);
    const loadedSizes = loaded.param_groups.map(({ params }) => params.length);
    if (sizes.join() !== loadedSizes.join()) {
      throw new CleanclipError(
        `The checkpoint's optimizer has groups of ${loadedSizes.join(' and ')} parameters, but this model has ${sizes.join(' and ')}; it belongs to another model.`,
        'ERR_CHECKPOINT',
      );
    }
    const parameters = this.groups.flatMap((group) => group.parameters);
    const indices = loaded.param_groups.flatMap(({ params }) => params);
    const fresh = parameters.map((parameter, i) => [parameter, readMoments(loaded.state[indices[i]] as ParameterState | undefined, parameter)] as const);
    for (const [parameter, moments] of fresh) {
      if (moments !== undefined) this.state.set(parameter, moments);
    }
  }
}

function readMoments(entry: ParameterState | undefined, parameter: Tensor): Moments | undefined {
  if (entry === undefined) return undefined;
  for (const moment of [entry.exp_avg, entry.exp_avg_sq]) {
    if (moment.shape.join() !== parameter.shape.join()) {
      throw new CleanclipError(
        `The checkpoint's optimizer holds a moment of shape [${moment.shape}] for a parameter of [${parameter.shape}]; it belongs to another model.`,
        'ERR_CHECKPOINT',
      );
    }
  }
  const copy = (source: Tensor): Tensor =>
    noGrad(() => (invokeByName('aten::zeros_like', [parameter]) as Tensor).copy_(source));
  const step = typeof entry.step === 'number' ? entry.step : entry.step.item();
  return { step: makeTensor(step, { device: parameter.device }), average: copy(entry.exp_avg), averageOfSquares: copy(entry.exp_avg_sq) };
}
