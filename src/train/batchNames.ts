/** How a file of `batches` names what step k sees, beside the weights that the run begins with. */
export const batchNames = {
  order: (k: number): string => `order_${k}`,
  images: (k: number): string => `images_${k}`,
  labels: (k: number): string => `labels_${k}`,
  mask: (layer: number, k: number): string => `mask${layer}_${k}`,
};

/** Whether a name is one of these; no weight of a model is called so. */
export const isBatchName = (name: string): boolean =>
  /^(order|images|labels|mask\d+)_\d+$/.test(name);
