// What `require('cleanclip')` gives: the functions of index.ts, whose types and documentation are the package's, behind
// its border.
import { border } from './border';
import * as api from './index';

export * from './index'; // but for what follows

export const applyTrigger = border('applyTrigger', api.applyTrigger);
export const autoAugment = border('autoAugment', api.autoAugment);
export const autoAugmentOp = border('autoAugmentOp', api.autoAugmentOp);
export const cleanClipLoss = border('cleanClipLoss', api.cleanClipLoss);
export const cleanText = border('cleanText', api.cleanText);
export const contrastiveLoss = border('contrastiveLoss', api.contrastiveLoss);
export const convert = border('convert', api.convert);
export const cosineSchedule = border('cosineSchedule', api.cosineSchedule);
export const eda = border('eda', api.eda);
export const evaluate = border('evaluate', api.evaluate);
export const finetune = border('finetune', api.finetune);
export const loadClip = border('loadClip', api.loadClip);
export const lossOverRanks = border('lossOverRanks', api.lossOverRanks);
export const makeTrigger = border('makeTrigger', api.makeTrigger);
export const normalize = border('normalize', api.normalize);
export const poison = border('poison', api.poison);
export const preprocess = border('preprocess', api.preprocess);
export const readLabelledSet = border('readLabelledSet', api.readLabelledSet);
export const readPairs = border('readPairs', api.readPairs);
export const resizeCrop = border('resizeCrop', api.resizeCrop);
export const tokenize = border('tokenize', api.tokenize);
export const train = border('train', api.train);
export const unlearnLoss = border('unlearnLoss', api.unlearnLoss);

// `import cc from 'cleanclip'`, compiled to CommonJS, reads this; in an ES module Node gives it without.
Object.defineProperty(exports, 'default', { value: exports });
