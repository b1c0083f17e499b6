import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * System tests before unit tests, each in Vitest's own order: a file that takes a minute shall not begin when the other
 * worker is done.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSystem = ({ moduleId }: TestSpecification) => moduleId.endsWith('.system.test.ts');
    return [...sorted.filter(isSystem), ...sorted.filter((file) => !isSystem(file))];
  }
}
