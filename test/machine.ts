/** What a test's machine shows to programs: nothing that is this machine's own, and no GPU but one in software. */
import { existsSync } from 'node:fs';

type Variables = Readonly<Record<string, string>>;

/** Where Chromium's packages keep their software GPU. */
const places = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/usr/lib64/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];

/** The Vulkan driver file of a software GPU; undefined where none is installed. */
export const swiftshader = places.find((place) => existsSync(place));

/** For the title of what is skipped without it. */
export const needsSwiftshader =
  swiftshader === undefined ? ' (skipped: no SwiftShader, install chromium)' : '';

/**
 * Has the Vulkan loader know this driver and no other, and CUDA and ROCm no device. The older name of the
 * variable is for loaders before 1.3.207; the newer ones do not look at it.
 */
const withDriver = (file: string): Variables => ({
  VK_DRIVER_FILES: file,
  VK_ICD_FILENAMES: file,
  VK_LOADER_LAYERS_DISABLE: '~implicit~',
  CUDA_VISIBLE_DEVICES: '-1',
  HIP_VISIBLE_DEVICES: '-1',
});

/** For a process that shall find no GPU. */
export const withoutGpu: Variables = withDriver('/nowhere/driver.json');

/** For a process that shall find SwiftShader, and nothing where it is not installed. */
export const withSwiftshader: Variables = withDriver(swiftshader ?? '/nowhere/driver.json');

/** Has every backend that is opened from here on see SwiftShader and no other GPU. */
export function useSwiftshader(): void {
  Object.assign(process.env, withSwiftshader);
}

/** GPUs and their drivers, our own settings, CI, colours, and what makes Node.js or Python say more or do other things. */
const personal = [
  /^(VK|DAWN|MESA|DRI|CUDA|HIP|ROCR)_/,
  /^(SWA_ALIGN|TF|ORT|GITHUB)_/,
  /^(CI|NO_COLOR|FORCE_COLOR|CLICOLOR|CLICOLOR_FORCE|NODE_DISABLE_COLORS)$/,
  /^NODE_(OPTIONS|DEBUG|DEBUG_NATIVE|NO_WARNINGS|PENDING_DEPRECATION|USE_ENV_PROXY)$/,
  // All but where its packages are.
  /^PYTHON(?!PATH$|HOME$|USERBASE$)/,
];

/** Makes an environment, by default this process's and its children's, one of a machine that nobody has set up and that has no GPU. */
export function forgetMachine(environment: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(environment)) {
    if (personal.some((pattern) => pattern.test(name))) delete environment[name];
  }
  Object.assign(environment, withoutGpu);
}
