export { cleanClipLoss, type CleanClipInput, type CleanClipLoss } from './cleanclip';
export { contrastiveLoss, matchLoss, type Rows } from './contrastive';
export { lossOverRanks, type OverRanks, type RankInput } from './over_ranks';
export { unlearnLoss, type UnlearnInput, type UnlearnLoss } from './unlearn';
