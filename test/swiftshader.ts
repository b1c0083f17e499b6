import { existsSync } from 'node:fs';

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

/** Has every backend that is opened from here on see SwiftShader and no other Vulkan driver. */
export function useSwiftshader(): void {
  if (swiftshader !== undefined) process.env.VK_ICD_FILENAMES = swiftshader;
}
