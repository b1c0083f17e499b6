import { testDevice } from './testdata/deviceTests.ts';

await testDevice('webgpu');
