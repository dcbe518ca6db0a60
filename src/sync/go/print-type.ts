// A type as text, without the names of parameters: two types with one text are the same to whoever uses them.
import type { Expression, FunctionType } from './syntax.ts';

export function printType(type: Expression | undefined): string {
  if (type === undefined) return '';
  switch (type.kind) {
    case 'name':
      return type.name;
    case 'selector':
      return `${printType(type.of)}.${type.name}`;
    case 'star':
      return `*${printType(type.of)}`;
    case 'slice-type':
      return `[]${printType(type.of)}`;
    case 'array-type':
      return `[${printType(type.length)}]${printType(type.of)}`;
    case 'map-type':
      return `map[${printType(type.key)}]${printType(type.of)}`;
    case 'chan-type':
      return `chan ${printType(type.of)}`;
    case 'func':
      return `func${printSignature(type)}`;
    case 'index':
      return `${printType(type.of)}[${type.indices.map(printType).join()}]`;
    case 'struct':
      return `struct{${type.fields.map((field) => `${field.name} ${printType(field.type)}`).join(';')}}`;
    case 'interface':
      return `interface{${[
        ...type.methods.map((method) => method.name + printSignature(method.type)),
        ...type.embedded.map(printType),
      ].join(';')}}`;
    case 'binary':
      return `${printType(type.left)}${type.operator}${printType(type.right)}`;
    default:
      return type.kind;
  }
}

export function printSignature(type: FunctionType): string {
  const list = (of: FunctionType['parameters']): string => of.map((one) => printType(one.type)).join();
  return `(${list(type.parameters)}${type.variadic ? '...' : ''})(${list(type.results)})`;
}
