/**
 * Reads and writes protobuf messages as flat lists of fields, without a schema. It keeps every field that it does not
 * know, in order, so a message that is read and written again is the same message. Sub-messages stay bytes until asked
 * for, which keeps large ones (model weights) as views on the bytes that they came in.
 */

/** One field: its number and its content, a varint or raw bytes. Fixed-width fields are raw bytes of 4 or 8. */
export interface Field {
  readonly number: number;
  readonly wireType: 0 | 1 | 2 | 5;
  /** The varint when `wireType` is 0, otherwise 0. */
  readonly varint: number;
  /** The content of any other wire type; empty for a varint. */
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Throws a RangeError on bytes that are not a protobuf message. Varints beyond 2^53 lose precision and are refused. */
export function readFields(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 49) throw new RangeError("malformed varint");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    if (wireType === 0) {
      fields.push({ number, wireType, varint: varint(), bytes: none });
      continue;
    }
    if (wireType !== 1 && wireType !== 2 && wireType !== 5) throw new RangeError("unknown wire type");
    const length = wireType === 2 ? varint() : wireType === 1 ? 8 : 4;
    if (at + length > message.length) throw new RangeError("truncated field");
    fields.push({ number, wireType, varint: 0, bytes: message.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

export function writeFields(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of fields) {
    parts.push(varintBytes(field.number * 8 + field.wireType));
    if (field.wireType === 0) parts.push(varintBytes(field.varint));
    else if (field.wireType === 2) parts.push(varintBytes(field.bytes.length), field.bytes);
    else parts.push(field.bytes);
  }
  return Buffer.concat(parts);
}

export function bytesField(number: number, bytes: Uint8Array): Field {
  return { number, wireType: 2, varint: 0, bytes };
}

export function textField(number: number, text: string): Field {
  return bytesField(number, encoder.encode(text));
}

export function varintField(number: number, varint: number): Field {
  return { number, wireType: 0, varint, bytes: none };
}

export function messageField(number: number, fields: readonly Field[]): Field {
  return bytesField(number, writeFields(fields));
}

/** Every field of that number, in order. */
export function fieldsOf(fields: readonly Field[], number: number): Field[] {
  return fields.filter((field) => field.number === number);
}

/** The first field of that number as text; empty when there is none. */
export function textOf(fields: readonly Field[], number: number): string {
  const field = fields.find((candidate) => candidate.number === number);
  return field === undefined ? "" : decoder.decode(field.bytes);
}

/** Every field of that number as text. */
export function textsOf(fields: readonly Field[], number: number): string[] {
  return fieldsOf(fields, number).map((field) => decoder.decode(field.bytes));
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push((value % 128) + (rest > 0 ? 128 : 0));
    value = rest;
  } while (value > 0);
  return Uint8Array.from(bytes);
}
