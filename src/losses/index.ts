export { cleanClipLoss, type CleanClipInput, type CleanClipLoss } from './cleanclip';
export { contrastiveLoss, matchLoss } from './contrastive';
