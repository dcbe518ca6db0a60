// Scripts within YAML, as workflows have them: what follows `run:` or `script:` is read by a shell.
import { isMap, isScalar, isSeq } from 'yaml';
import { readYaml } from './read-yaml.ts';

const scriptKeys: ReadonlySet<string> = new Set(['run', 'script']);

/** The scripts of more than one line. */
export function yamlScripts(text: string): readonly string[] {
  if (!/^[ \t-]*(?:run|script):/m.test(text)) return [];
  const scripts: string[] = [];
  const visit = (node: unknown): void => {
    if (isSeq(node)) for (const item of node.items) visit(item);
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      const isScript = isScalar(key) && typeof key.value === 'string' && scriptKeys.has(key.value);
      if (isScript && isScalar(value) && typeof value.value === 'string' && value.value.includes('\n'))
        scripts.push(value.value);
      else visit(value);
    }
  };
  visit(readYaml(text).contents);
  return scripts;
}
