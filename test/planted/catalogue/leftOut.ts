/** Parameters that the optimizer does not move. */
import { causes } from '../causes.ts';
import { type Family, inGraph, type PlantedBug } from '../plant.ts';

interface LeftOut {
  readonly name: string;
  readonly people: string;
  readonly frozen: (parameter: string) => boolean;
}

const rows: readonly LeftOut[] = [
  {
    name: 'all but the norms frozen',
    people: 'tune norms only, and leave the switch on',
    frozen: (name) => !/bn\d?\.(weight|bias)$/.test(name),
  },
  {
    name: 'the first layer left out of the optimizer',
    people: 'add a layer after the optimizer was built',
    frozen: (name) => name === 'conv1.weight',
  },
  {
    name: 'the optimizer built over copies',
    people: 'move the model to a device after the optimizer was built: step() changes nothing',
    frozen: () => true,
  },
];

export const leftOut: Family = {
  name: 'parameters left out of the update',
  looks: [{ model: 'preresnet110', stage: 'epochs' }],
  bugs: rows.map(
    ({ name, people, frozen }): PlantedBug => ({
      name,
      people,
      plants: [
        inGraph((node, { program }) => {
          if (program.name !== 'training step') return undefined;
          for (const [parameter, { role, current, next }] of program.state) {
            if (next === node && role === 'parameter' && frozen(parameter)) return current;
          }
          return undefined;
        }),
      ],
      cause: causes.notUpdated,
      caught: { model: 'preresnet110', stage: 'epochs', at: 'epoch 1/conv1.weight' },
    }),
  ),
};
