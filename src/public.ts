// The module that `require('cleanclip')` loads: the functions of index.ts, each wrapped by `border`. Types and docs are
// those of index.ts.
import { border } from './border';
import * as api from './index';

export * from './index'; // the exports below replace those of the same name

export const applyTrigger = border('applyTrigger', api.applyTrigger);
export const augmentImage = border('augmentImage', api.augmentImage);
export const augmentText = border('augmentText', api.augmentText);
export const autoAugment = border('autoAugment', api.autoAugment);
export const autoAugmentOp = border('autoAugmentOp', api.autoAugmentOp);
export const cleanClipLoss = border('cleanClipLoss', api.cleanClipLoss);
export const cleanText = border('cleanText', api.cleanText);
export const contrastiveLoss = border('contrastiveLoss', api.contrastiveLoss);
export const convert = border('convert', api.convert);
export const cosineSchedule = border('cosineSchedule', api.cosineSchedule);
export const download = border('download', api.download);
export const eda = border('eda', api.eda);
export const embed = border('embed', api.embed);
export const evaluate = border('evaluate', api.evaluate);
export const finetune = border('finetune', api.finetune);
export const linearProbe = border('linearProbe', api.linearProbe);
export const loadClip = border('loadClip', api.loadClip);
export const lossOverRanks = border('lossOverRanks', api.lossOverRanks);
export const makeTrigger = border('makeTrigger', api.makeTrigger);
export const normalize = border('normalize', api.normalize);
export const plot = border('plot', api.plot);
export const poison = border('poison', api.poison);
export const prepare = border('prepare', api.prepare);
export const preprocess = border('preprocess', api.preprocess);
export const readLabelledSet = border('readLabelledSet', api.readLabelledSet);
export const readPairs = border('readPairs', api.readPairs);
export const report = border('report', api.report);
export const resizeCrop = border('resizeCrop', api.resizeCrop);
export const retrieval = border('retrieval', api.retrieval);
export const retrievalMetrics = border('retrievalMetrics', api.retrievalMetrics);
export const tokenize = border('tokenize', api.tokenize);
export const train = border('train', api.train);
export const unlearnLoss = border('unlearnLoss', api.unlearnLoss);
export const zeroshot = border('zeroshot', api.zeroshot);

// `import cc from 'cleanclip'`, compiled to CommonJS, reads `default`; for an ES module Node provides it anyway.
Object.defineProperty(exports, 'default', { value: exports });
