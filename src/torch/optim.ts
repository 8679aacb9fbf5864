import { checkNumber } from '../arguments';
import { checkOptions, CleanclipError, optionError } from '../errors';
import { show } from '../show';
import { noGrad } from './autograd';
import { tensor as makeTensor, zeros } from './factories';
import { IntDict, PyFloat, PyTuple } from './python_values';
import { keep } from './scope';
import { invokeByName, Tensor } from './tensor';

/** Parameters that share a weight decay. */
export interface ParameterGroup {
  /** tensors that require gradients */
  parameters: Tensor[];
  /** a step multiplies each parameter by 1 - lr · weightDecay, apart from its gradient */
  weightDecay: number;
}

/** Hyperparameters of {@link AdamW}; the defaults are those of torch.optim.AdamW. */
export interface AdamWOptions {
  /** learning rate of the first step, at least 0 */
  lr: number;
  /** decay rates of the averages of gradients and of their squares; default [0.9, 0.999] */
  betas?: [number, number];
  /** added to the root of the average of squares; default 1e-8 */
  eps?: number;
}

/** What a `GradScaler` passes to an optimizer, both float32 [] on the parameters' device. */
export interface Scaling {
  /** by how much the gradients are too large */
  gradScale: Tensor;
  /** 1 when a gradient is not finite, else 0 */
  foundInf: Tensor;
}

interface Moments {
  step: Tensor; // float32 scalar
  average: Tensor;
  averageOfSquares: Tensor;
}

/** The moments of one parameter, under the names of torch.optim.AdamW. */
interface ParameterState {
  step: Tensor;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
}

/** The state of an optimizer, as a `state_dict()` of torch.optim has it. */
export interface OptimizerState {
  /** `{ step, exp_avg, exp_avg_sq }` by the index of the parameter */
  state: { [index: string]: unknown };
  /** the hyperparameters of each group, and the indices of its parameters */
  param_groups: { params: number[]; [hyperparameter: string]: unknown }[];
}

/**
 * AdamW (Loshchilov & Hutter 2019) by libtorch's fused kernel. Its state can be exchanged with torch.optim.AdamW. The
 * moments have the dtype and device of their parameter.
 * @example
 * ```ts
 * const optimizer = new AdamW([{ parameters, weightDecay: 0.1 }], { lr: 1e-5 });
 * loss.backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class AdamW {
  /** learning rate of the next step; a schedule sets it before each step */
  lr: number;
  private readonly betas: [number, number];
  private readonly eps: number;
  private readonly state = new Map<Tensor, Moments>();

  /**
   * @param groups every parameter to train, in one group each
   * @param options the learning rate, and what differs from the defaults
   * @throws CleanclipError `ERR_OPTION` for options or groups of another type, or an `lr`, `betas` or `eps` out of
   * range
   */
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
    if (!Array.isArray(this.betas) || this.betas.length !== 2 || !this.betas.every((beta) => beta >= 0 && beta < 1))
      throw optionError(`AdamW's betas must be two numbers from 0 to below 1, but are ${show(this.betas)}.`);
    this.eps = options.eps ?? 1e-8;
    checkNumber(this.eps, "AdamW's eps", 0);
  }

  /**
   * Updates every parameter that has a gradient, in place.
   * @param scaling a scaler's: the step divides the gradients by `gradScale`, and updates nothing after an overflow
   * @throws CleanclipError `ERR_TORCH` when a weight decay is no number
   */
  step(scaling?: Scaling): void {
    noGrad(() => {
      for (const group of this.groups) this.stepGroup(group, scaling);
    });
  }

  /** Returns the `grad` of every parameter that has one. */
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
    // A step that was skipped does not count.
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

  /**
   * Returns the optimizer's own tensors, three per parameter. They are the number of steps (float32 []), and the
   * averages of gradients and of their squares (of the parameter's shape). All are 0 before the first gradient.
   */
  moments(): Tensor[] {
    return this.groups.flatMap(({ parameters }) =>
      parameters.flatMap((parameter) => Object.values(this.momentsOf(parameter)) as Tensor[]),
    );
  }

  /** Sets the `grad` of every parameter to null (zero_grad with `set_to_none=True`). */
  zeroGrad(): void {
    for (const { parameters } of this.groups) for (const parameter of parameters) parameter.grad = null;
  }

  /** Returns the state as torch.optim.AdamW's `state_dict()` has it. Its tensors are the optimizer's own. */
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
   * Copies the moments from a state of torch.optim.AdamW or of {@link stateDict}. The hyperparameters stay as they are,
   * as do the moments of a parameter that has none in that state.
   * @throws CleanclipError `ERR_CHECKPOINT` when it is no such state, or its groups or shapes differ
   */
  loadStateDict(loaded: OptimizerState): void {
    const fault = optimizerFault(loaded);
    if (fault !== undefined)
      throw new CleanclipError(`The optimizer's state cannot be loaded: ${fault}.`, 'ERR_CHECKPOINT');
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
 * Says in words why a value is no state of torch.optim.AdamW; undefined when it is one. It does not check whether the
 * state fits a model.
 */
export function optimizerFault(value: unknown): string | undefined {
  if (!isObject(value) || !Array.isArray(value.param_groups) || !isObject(value.state))
    return 'it is no state_dict of an optimizer, which has state and param_groups';
  const { param_groups: groups, state } = value;
  const indices = groups.flatMap((group: unknown) =>
    isObject(group) && Array.isArray(group.params) ? (group.params as unknown[]) : [undefined],
  );
  if (!indices.every((index) => Number.isSafeInteger(index)))
    return 'the params of its param_groups are not lists of integers';
  for (const [index, entry] of Object.entries(state)) {
    const tensor = (name: string): boolean => isObject(entry) && entry[name] instanceof Tensor;
    if (!tensor('exp_avg') || !tensor('exp_avg_sq'))
      return (
        `it is from another optimizer than AdamW: the state of parameter ${index.slice(0, 20)} has no exp_avg and ` +
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
    keep(noGrad(() => (invokeByName('aten::zeros_like', [parameter]) as Tensor).copy_(source)));
  const step = typeof entry.step === 'number' ? entry.step : entry.step.item();
  return {
    step: keep(makeTensor(step, { device: parameter.device })),
    average: copy(entry.exp_avg),
    averageOfSquares: copy(entry.exp_avg_sq),
  };
}
