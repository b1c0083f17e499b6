import { spawnSync } from 'node:child_process';

const probe = 'import torch; assert tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 1)';

/** Whether this machine has a PyTorch that recorder.py runs on. */
export const hasRecorderTorch = spawnSync('python3', ['-c', probe]).status === 0;
