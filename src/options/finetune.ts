/** The defaults of CleanCLIP, from the recipe of the paper (Bansal et al. 2023). */
export const cleanClipRecipe = {
  inmodal: true,
  completeFinetune: true,
  epochs: 10,
  batchSize: 64,
  lr: 1e-5,
  numWarmupSteps: 50,
};
