import type { LandscapeSettings } from '../../src/landscape/keptPoints.ts';

/** Of the landscape whose file of points is damaged. */
export const landscapeSettings: LandscapeSettings = { model: 'VGG16BN', '--samples': 64 };
