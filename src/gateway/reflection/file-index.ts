/**
 * Which proto file holds a symbol or an extension, over a fixed set of files and all they import. Answers with
 * serialized descriptors; knows nothing of the reflection protocol's messages.
 */
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { toBinary, type DescFile } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

export interface FileIndex {
  /** Full names of the services of the files given, sorted. */
  readonly services: readonly string[];
  byName(fileName: string): DescFile | undefined;
  /** By the full name of a message, enum, enum value, field, oneof, extension, service or method. */
  bySymbol(symbol: string): DescFile | undefined;
  byExtension(extendee: string, number: number): DescFile | undefined;
  /** Sorted; undefined when there is no such message. */
  extensionNumbers(extendee: string): readonly number[] | undefined;
  /** The file and all it imports, imports first, without those in `known`, which grows by what is returned. */
  closure(file: DescFile, known: Set<string>): Uint8Array[];
}

export function createFileIndex(roots: readonly DescFile[]): FileIndex {
  const files = new Map<string, DescFile>();
  const addFile = (file: DescFile) => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    file.dependencies.forEach(addFile);
  };
  roots.forEach(addFile);

  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of files.values()) indexFile(file, symbols, extensions);
  const serialized = new Map<string, Uint8Array>();
  const bytesOf = (file: DescFile) => {
    const known = serialized.get(file.proto.name);
    if (known !== undefined) return known;
    const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    serialized.set(file.proto.name, bytes);
    return bytes;
  };
  const closure = (file: DescFile, known: Set<string>): Uint8Array[] => {
    if (known.has(file.proto.name)) return [];
    known.add(file.proto.name);
    return [...file.dependencies.flatMap((imported) => closure(imported, known)), bytesOf(file)];
  };
  return {
    services: roots.flatMap((file) => file.services.map((service) => service.typeName)).sort(),
    byName: (fileName) => files.get(fileName),
    bySymbol: (symbol) => symbols.get(symbol.replace(/^\./, "")),
    byExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    extensionNumbers: (extendee) => {
      const numbers = extensions.get(extendee);
      if (numbers !== undefined) return [...numbers.keys()].sort((a, b) => a - b);
      return symbols.has(extendee) ? [] : undefined;
    },
    closure,
  };
}

function indexFile(
  file: DescFile,
  symbols: Map<string, DescFile>,
  extensions: Map<string, Map<number, DescFile>>,
): void {
  for (const type of nestedTypes(file)) {
    symbols.set(type.typeName, file);
    switch (type.kind) {
      case "message":
        for (const member of type.members) symbols.set(`${type.typeName}.${member.name}`, file);
        for (const oneof of type.oneofs) {
          symbols.set(`${type.typeName}.${oneof.name}`, file);
          for (const field of oneof.fields) symbols.set(`${type.typeName}.${field.name}`, file);
        }
        break;
      case "enum": {
        // Values live beside their enum, not in it.
        const scope = type.typeName.slice(0, Math.max(0, type.typeName.lastIndexOf(".")));
        for (const value of type.values)
          symbols.set(scope === "" ? value.name : `${scope}.${value.name}`, file);
        break;
      }
      case "service":
        for (const method of type.methods) symbols.set(`${type.typeName}.${method.name}`, file);
        break;
      case "extension": {
        const extendee = type.extendee.typeName;
        const numbers = extensions.get(extendee) ?? new Map<number, DescFile>();
        extensions.set(extendee, numbers.set(type.number, file));
        break;
      }
    }
  }
}
