import { eda, synonyms } from './eda';
import { features } from './features';
import { autoaugment, preprocessing, transforms } from './images';
import { linearProbe } from './linear_probe';
import { modelsIn } from './models_in';
import { rates } from './rates';
import { retrieval } from './retrieval';
import type { Row } from './row';
import { step } from './step';
import { checkpointHere, checkpointPython, steps } from './steps';
import { tokens } from './tokens';
import { triggers } from './triggers';
import { zeroshot } from './zeroshot';

/** Every row of the parity report, in its order. */
export const rows: readonly Row[] = [
  features,
  modelsIn,
  step,
  steps,
  rates,
  tokens,
  preprocessing,
  transforms,
  autoaugment,
  triggers,
  eda,
  synonyms,
  checkpointHere,
  checkpointPython,
  zeroshot,
  linearProbe,
  retrieval,
];
