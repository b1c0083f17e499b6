import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceError, InputError, UsageError } from '../../../errors.ts';
import { buildBinding } from './buildBinding.ts';
import { tensorFlowIn, tensorFlowOfPython } from './findTensorFlow.ts';
import { findNodePackage, type NodePackage } from './nodePackage.ts';
import { prepareSetUp } from './setUp.ts';
import { compiler, nodeHeaders } from './toolchain.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tensorflow-setup-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(path: string, text = ''): string {
  const full = join(dir, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

const found = <T>(find: () => T): T | undefined => {
  try {
    return find();
  } catch (error) {
    if (error instanceof DeviceError) return undefined;
    throw error;
  }
};

const toolchain = { compiler: found(() => compiler()), headers: found(() => nodeHeaders()) };
const canBuild = toolchain.compiler !== undefined && toolchain.headers !== undefined;

describe.skipIf(!canBuild)('the binding (needs a C++ compiler and the headers of Node.js)', () => {
  const tools = toolchain as { compiler: string; headers: string };

  /** A library that answers one of TensorFlow's calls, and a package whose binding makes it. */
  function miniature(source: string): NodePackage {
    write('tf/include/tensorflow/c/c_api.h', 'extern "C" const char* TF_Version(void);\n');
    const code = write('tf.cc', 'extern "C" const char* TF_Version(void) { return "9.8.7"; }\n');
    for (const library of ['libtensorflow.so.2', 'libtensorflow_framework.so.2']) {
      const out = join(dir, 'tf', 'lib', library);
      mkdirSync(dirname(out), { recursive: true });
      const flags = ['-shared', '-fPIC', `-Wl,-soname,${library}`, '-o', out];
      expect(spawnSync(tools.compiler, [...flags, code]).status).toBe(0);
    }
    write('package/binding/tfjs_backend.cc', 'int nothing;\n');
    write('package/binding/tfjs_binding.cc', source);
    const directory = join(dir, 'package');
    const binding = join(directory, 'lib', 'napi-v8', 'tfjs_binding.node');
    return { name: '@tensorflow/tfjs-node', directory, binding, nodeApi: 8 };
  }

  const whole = `
#include <node_api.h>
#include "tensorflow/c/c_api.h"
static napi_value Init(napi_env env, napi_value exports) {
  napi_value version;
  napi_create_string_utf8(env, TF_Version(), NAPI_AUTO_LENGTH, &version);
  napi_set_named_property(env, exports, "TF_Version", version);
  return exports;
}
NAPI_MODULE(binding, Init)
`;

  it('is built, tried and put where the package looks for it', () => {
    const target = miniature(whole);
    expect(buildBinding(target, tensorFlowIn(join(dir, 'tf')), tools)).toBe('9.8.7');
    const binding = { exports: {} as { TF_Version?: string } };
    process.dlopen(binding, target.binding);
    expect(binding.exports.TF_Version).toBe('9.8.7');
    expect(readdirSync(dirname(target.binding))).toEqual(['tfjs_binding.node']);
  });

  it.each([
    ['does not compile', 'this is no C++', 'could not build the binding'],
    ['does not load', 'int empty;', 'was built and does not load'],
  ])('leaves what was there when the new one %s', (_, source, message) => {
    const target = miniature(source);
    const build = () => buildBinding(target, tensorFlowIn(join(dir, 'tf')), tools);
    expect(build).toThrow(DeviceError);
    expect(build).toThrow(message);
    expect(existsSync(join(target.directory, 'lib'))).toBe(false);
    write('package/lib/napi-v8/tfjs_binding.node', 'the old one');
    expect(build).toThrow(message);
    expect(readFileSync(target.binding, 'utf8')).toBe('the old one');
    expect(readdirSync(dirname(target.binding))).toEqual(['tfjs_binding.node']);
  });
});

describe('TensorFlow', () => {
  const header = 'include/tensorflow/c/c_api.h';

  it('is found in its Python package, with or without CUDA', () => {
    write(header);
    const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'].map((f) =>
      write(f),
    );
    expect(tensorFlowIn(dir)).toEqual({
      include: join(dir, 'include'),
      directory: dir,
      libraries,
      cuda: undefined,
    });
    for (const cuda of [true, false]) {
      const word = cuda ? 'True' : 'False';
      write('python/platform/build_info.py', `build_info = ([('is_cuda_build', ${word})])\n`);
      expect(tensorFlowIn(dir).cuda).toBe(cuda);
    }
  });

  it('is told of by what is missing', () => {
    expect(() => tensorFlowIn(join(dir, 'nowhere'))).toThrow(InputError);
    expect(() => tensorFlowIn(dir)).toThrow('holds no include/tensorflow/c/c_api.h');
    write(header);
    write('lib/libtensorflow.so.2');
    expect(() => tensorFlowIn(dir)).toThrow('no libtensorflow beside a libtensorflow_framework');
    expect(() => tensorFlowOfPython(join(dir, 'python'))).toThrow('there is no Python called');
  });
});

describe('the tools', () => {
  it('are told of by what is missing', () => {
    const nowhere = { HOME: dir, XDG_CACHE_HOME: dir };
    expect(() => nodeHeaders(nowhere, join(dir, 'bin', 'node'))).toThrow(
      `the headers of Node.js ${process.version} are not on this machine`,
    );
    expect(() => compiler({ CXX: join(dir, 'no-compiler') })).toThrow(DeviceError);
  });

  it('are found where node-gyp keeps its own', () => {
    const version = process.version.slice(1);
    const header = write(`node-gyp/${version}/include/node/node_api.h`);
    expect(nodeHeaders({ XDG_CACHE_HOME: dir }, join(dir, 'bin', 'node'))).toBe(dirname(header));
  });
});

it('takes one TensorFlow at a time', () => {
  expect(() => prepareSetUp({ libtensorflow: dir, python: 'python3' })).toThrow(UsageError);
});

it.skipIf(findNodePackage('@tensorflow/tfjs-node-gpu') !== undefined)(
  'says how to get the package it builds for (where tfjs-node-gpu is not installed)',
  () => {
    expect(() => prepareSetUp({ gpu: true })).toThrow(
      'the package @tensorflow/tfjs-node-gpu is not installed; npm install --save-dev --ignore-scripts @tensorflow/tfjs-node-gpu@4.22.0',
    );
  },
);
