import { expect, it } from 'vitest';
import { builtOnLinux } from '../../../src/sync/go/build-constraint.ts';

const lines = (...head: readonly string[]): string => `${head.join('\n')}\n\npackage os\n`;

it.each([
  ['file.go', lines('// Package os.'), 'yes'],
  ['file_linux.go', lines(), 'yes'],
  ['file_unix.go', lines(), 'yes'],
  ['linux.go', lines(), 'yes'],
  ['file_windows.go', lines(), 'no'],
  ['file_windows_test.go', lines(), 'no'],
  ['file_windows_amd64.go', lines(), 'no'],
  ['file_linux_amd64.go', lines(), 'perhaps'],
  ['file_arm64.go', lines(), 'perhaps'],
  ['file.go', lines('//go:build linux && cgo && !agent'), 'perhaps'],
  ['file.go', lines('//go:build !linux'), 'no'],
  ['file.go', lines('//go:build unix || (js && wasm) || wasip1'), 'yes'],
  ['file.go', lines('//go:build !(darwin || windows)'), 'yes'],
  ['file.go', lines('//go:build darwin || linux && !windows'), 'yes'],
  ['file.go', lines('//go:build ignore'), 'no'],
  ['file.go', lines('//go:build cgo || !cgo'), 'perhaps'],
  ['file_windows.go', lines('//go:build cgo'), 'no'],
  ['file.go', lines('// +build linux'), 'perhaps'],
  ['file.go', 'package os\n\n//go:build windows\n', 'yes'],
])('%s with %j is built on Linux: %s', (path, source, wanted) => {
  const built = builtOnLinux(`internal/${path}`, source);

  expect(built).toBe(wanted);
});
