import { checkNumber } from '../arguments';
import { checkOptions, CleanclipError, optionError } from '../errors';
import { show } from '../show';
import { noGrad } from './autograd';
import { tensor as makeTensor, zeros } from './factories';
import { IntDict, PyFloat, PyTuple } from './python_values';
import { keep } from './scope';
import { invokeByName, Tensor } from './tensor';

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

/**
 * AdamW (Loshchilov & Hutter 2019) by libtorch's fused kernel; its state interchanges with torch.optim.AdamW.
 * @example
 * ```ts
 * const optimizer = new AdamW([{ parameters, weightDecay: 0.1 }], { lr: 1e-5 });
 * loss.backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
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
    if (!Array.isArray(groups))
      throw optionError(`AdamW takes a list of groups of parameters, but got ${show(groups)}.`);
    this.lr = options.lr;
    this.betas = options.betas ?? [0.9, 0.999];
    this.eps = options.eps ?? 1e-8;
  }

  /**
   * Updates every parameter that has a gradient.
   * @param scaling of a {@link GradScaler}: the gradients are so many times too large; where an overflow was found,
   * nothing is updated
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
    const active = parameters
      .map((parameter) => ({ parameter, grad: parameter.grad }))
      .filter(({ grad }) => grad !== null);
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
    // a step left out does not count
    if (scaling !== undefined) invokeByName('aten::_foreach_sub_', [steps, steps.map(() => scaling.foundInf)]);
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
    return this.groups.flatMap(({ parameters }) =>
      parameters.flatMap((parameter) => Object.values(this.momentsOf(parameter)) as Tensor[]),
    );
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
   * Takes moments over from a `state_dict()` of torch.optim.AdamW or from here; the hyperparameters stay this run's
   * own.
   * @throws CleanclipError `ERR_CHECKPOINT` when the groups or shapes differ
   */
  loadStateDict(loaded: OptimizerState): void {
    const fault = optimizerFault(loaded);
    if (fault !== undefined)
      throw new CleanclipError(`The optimizer's state cannot be taken: ${fault}.`, 'ERR_CHECKPOINT');
    const sizes = this.groups.map(({ parameters }) => parameters.length);
    const loadedSizes = loaded.param_groups.map(({ params }) => params.length);
    if (sizes.join() !== loadedSizes.join()) {
      throw new CleanclipError(
        `The checkpoint's optimizer has groups of ${loadedSizes.join(' and ')} parameters, but this model ` +
          `has ${sizes.join(' and ')}; it belongs to another model.`,
        'ERR_CHECKPOINT',
      );
    }
    const parameters = this.groups.flatMap((group) => group.parameters);
    const indices = loaded.param_groups.flatMap(({ params }) => params);
    const fresh = parameters.map(
      (parameter, i) =>
        [parameter, readMoments(loaded.state[indices[i]] as ParameterState | undefined, parameter)] as const,
    );
    for (const [parameter, moments] of fresh) {
      if (moments !== undefined) this.state.set(parameter, moments);
    }
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What keeps a value from being a state of torch.optim.AdamW, in words; undefined for one. Whether it fits a model is
 * not looked at.
 */
export function optimizerFault(value: unknown): string | undefined {
  if (!isObject(value) || !Array.isArray(value.param_groups) || !isObject(value.state))
    return 'it is no state_dict of an optimizer, with state and param_groups';
  const { param_groups: groups, state } = value;
  const indices = groups.flatMap((group: unknown) =>
    isObject(group) && Array.isArray(group.params) ? (group.params as unknown[]) : [undefined],
  );
  if (!indices.every((index) => Number.isSafeInteger(index))) return 'its param_groups do not number their parameters';
  for (const [index, entry] of Object.entries(state)) {
    const tensor = (name: string): boolean => isObject(entry) && entry[name] instanceof Tensor;
    if (!tensor('exp_avg') || !tensor('exp_avg_sq'))
      return (
        `it is of another optimizer than AdamW: the state of parameter ${index.slice(0, 20)} has no exp_avg and ` +
        'exp_avg_sq'
      );
    const { step } = entry as Record<string, unknown>;
    const count = step instanceof Tensor && step.numel() === 1 ? Number(step.item()) : step;
    if (typeof count !== 'number' || !(count >= 0 && count < Infinity))
      return `parameter ${index.slice(0, 20)} has no number of steps`;
  }
  return undefined;
}

function readMoments(entry: ParameterState | undefined, parameter: Tensor): Moments | undefined {
  if (entry === undefined) return undefined;
  for (const moment of [entry.exp_avg, entry.exp_avg_sq]) {
    if (moment.shape.join() !== parameter.shape.join()) {
      throw new CleanclipError(
        `The checkpoint's optimizer holds a moment of shape [${moment.shape}] for a parameter of ` +
          `[${parameter.shape}]; it belongs to another model.`,
        'ERR_CHECKPOINT',
      );
    }
  }
  const copy = (source: Tensor): Tensor =>
    noGrad(() => (invokeByName('aten::zeros_like', [parameter]) as Tensor).copy_(source));
  const step = typeof entry.step === 'number' ? entry.step : entry.step.item();
  return {
    step: makeTensor(step, { device: parameter.device }),
    average: copy(entry.exp_avg),
    averageOfSquares: copy(entry.exp_avg_sq),
  };
}
