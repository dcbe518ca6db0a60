// Whether a Go file is built for Linux, by its name and its first lines (go help buildconstraint).

/** `perhaps`: it hangs on the processor, on cgo, or on tags that somebody gives. */
export type BuiltHere = 'yes' | 'no' | 'perhaps';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const systems = words(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos',
);
const processors = words(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x sparc64 wasm',
);

export function builtOnLinux(path: string, source: string): BuiltHere {
  return both(byName(path.slice(path.lastIndexOf('/') + 1)), byLines(source));
}

function byName(name: string): BuiltHere {
  const parts = name.replace(/(?:_test)?\.go$/, '').split('_');
  const last = parts.length > 1 ? parts.at(-1) : undefined;
  if (last === undefined) return 'yes';
  if (systems.has(last)) return ofTag(last);
  if (!processors.has(last)) return 'yes';
  const system = parts.length > 2 ? parts.at(-2) : undefined;
  return system !== undefined && systems.has(system) && system !== 'linux' ? 'no' : 'perhaps';
}

function byLines(source: string): BuiltHere {
  const head = source.slice(0, Math.max(0, source.search(/^package /m)));
  const line = /^\/\/go:build (.*)$/m.exec(head)?.[1];
  if (line !== undefined) return evaluate(line);
  return /^\/\/ \+build /m.test(head) ? 'perhaps' : 'yes';
}

/** A boolean expression of tags, by how tightly its operators bind. */
function evaluate(line: string): BuiltHere {
  const tokens = line.replace(/\/\/.*$/, '').match(/&&|\|\||[!()]|[\w.]+/g) ?? [];
  let at = 0;
  const take = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at += 1;
    return true;
  };
  const one = (): BuiltHere => {
    if (take('!')) return opposite(one());
    if (take('(')) {
      const inner = any();
      take(')');
      return inner;
    }
    const tag = tokens[at] ?? '';
    at += 1;
    return ofTag(tag);
  };
  const all = (): BuiltHere => {
    let value = one();
    while (take('&&')) value = both(value, one());
    return value;
  };
  const any = (): BuiltHere => {
    let value = all();
    while (take('||')) value = opposite(both(opposite(value), opposite(all())));
    return value;
  };
  return any();
}

function ofTag(tag: string): BuiltHere {
  if (tag === 'linux' || tag === 'unix' || tag === 'gc') return 'yes';
  if (tag === 'ignore' || tag === 'gccgo' || systems.has(tag)) return 'no';
  return 'perhaps';
}

function opposite(value: BuiltHere): BuiltHere {
  if (value === 'perhaps') return value;
  return value === 'yes' ? 'no' : 'yes';
}

function both(one: BuiltHere, other: BuiltHere): BuiltHere {
  if (one === 'no' || other === 'no') return 'no';
  return one === 'yes' && other === 'yes' ? 'yes' : 'perhaps';
}
