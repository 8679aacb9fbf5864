export { cleanClipLoss, type CleanClipInput, type CleanClipLoss } from './cleanclip';
export { contrastiveLoss, matchLoss } from './contrastive';
export { unlearnLoss, type UnlearnInput, type UnlearnLoss } from './unlearn';
