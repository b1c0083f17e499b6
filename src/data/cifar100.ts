import type { CifarLayout } from './cifar.ts';

/**
 * A hundred fine classes of 600 images; records carry the coarse label (one of twenty), then the fine
 * one. Names in the order of the archive's fine_label_names.txt.
 * https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
 */
export const cifar100: CifarLayout = {
  folder: 'cifar-100-binary',
  files: { train: ['train.bin'], test: ['test.bin'] },
  labelBytes: 2,
  labelAt: 1,
  classes: `
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
    bowl boy bridge bus butterfly camel can castle caterpillar cattle
    chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
    lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
    mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
    plain plate poppy porcupine possum rabbit raccoon ray road rocket
    rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm`
    .trim()
    .split(/\s+/),
};
