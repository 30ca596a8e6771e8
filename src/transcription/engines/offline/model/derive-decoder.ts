/**
 * Rebuilds Moonshine's published decoder into two plain graphs that the engine runs: one that turns encoder states into
 * cross-attention keys and values (once a segment), and one that continues a text by any number of tokens.
 *
 * The published file is one `If` node with a branch for the first step and one for later steps, each with its own copy
 * of everything in memory. It also unpacks its whole 32768-row embedding into floats at every step, which is most of
 * the time that a step takes, and it hides the cross-attention, from which word times are read. The rebuilt graphs
 * hold the same weights; only the last matrix product changes, from float to the 8-bit product that all other layers
 * already use. Bytes in, bytes out, deterministic: the results are pinned by hash like the file they come from.
 */
import {
  bytesField,
  fieldsOf,
  messageField,
  readFields,
  textField,
  textOf,
  textsOf,
  varintField,
  writeFields,
  type Field,
} from "./protobuf-fields.ts";

export interface DerivedDecoder {
  readonly crossAttentionKeys: Uint8Array;
  readonly decoder: Uint8Array;
}

/** Layers of the decoder whose cross-attention becomes an output, `cross_attention.<layer>`. */
export const attentionLayers = [3, 5] as const;

/** Field numbers of onnx.proto. */
const model = { graph: 7 } as const;
const graph = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const node = { input: 1, output: 2, name: 3, opType: 4, attribute: 5 } as const;
const attribute = { name: 1, int: 3, graph: 6, ints: 8, type: 20 } as const;
const tensor = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const;
const attributeType = { int: 2, ints: 7 } as const;

const embedding = "model.decoder.embed_tokens.weight_merged_0";
const embeddingRows = 32768;
const embeddingColumns = 288;
const hiddenStates = "/model/decoder/norm/Mul_output_0";

interface Node {
  readonly field: Field;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Throws an Error when the bytes are not the decoder this was written for. */
export function deriveDecoder(published: Uint8Array): DerivedDecoder {
  const modelFields = readFields(published);
  const merged = readFields(one(fieldsOf(modelFields, model.graph)).bytes);
  const branches = branchesOf(merged);
  const withGraph = (fields: readonly Field[]): Uint8Array =>
    writeFields([
      ...modelFields.filter((field) => field.number !== model.graph),
      messageField(model.graph, fields),
    ]);
  return {
    crossAttentionKeys: withGraph(keysGraph(merged, branches.first)),
    decoder: withGraph(decoderGraph(merged, branches.later)),
  };
}

function branchesOf(merged: readonly Field[]): { first: Field[]; later: Field[] } {
  const ifNode = readFields(one(fieldsOf(merged, graph.node)).bytes);
  const branch = (name: string): Field[] => {
    const found = fieldsOf(ifNode, node.attribute)
      .map((field) => readFields(field.bytes))
      .find((fields) => textOf(fields, attribute.name) === name);
    if (found === undefined) throw new Error(`the decoder has no ${name}`);
    return readFields(one(fieldsOf(found, attribute.graph)).bytes);
  };
  return { first: branch("else_branch"), later: branch("then_branch") };
}

function keysGraph(merged: readonly Field[], first: readonly Field[]): Field[] {
  const outputs = fieldsOf(first, graph.output).filter((field) => valueName(field).includes(".encoder."));
  return assemble("cross_attention_keys", nodesOf(first).map(withFixedShape), merged, outputs, [
    headsShape(),
  ]);
}

/** The published graph takes the batch size from the text; there is none here, and the states know it as well. */
function withFixedShape(original: Node): Node {
  const [output = ""] = original.outputs;
  const [data = ""] = original.inputs;
  if (!/\/encoder_attn\/Reshape(_1)?_output_0$/.test(output)) return original;
  return makeNode("Reshape", [data, "heads_shape"], [output]);
}

/** int64 [0, -1, 8, 36]: batch as it comes, any length, heads, head size. */
function headsShape(): Field {
  return messageField(graph.initializer, [
    varintField(tensor.dims, 4),
    varintField(tensor.dataType, 7),
    textField(tensor.name, "heads_shape"),
    bytesField(tensor.rawData, new Uint8Array(BigInt64Array.of(0n, -1n, 8n, 36n).buffer)),
  ]);
}

function decoderGraph(merged: readonly Field[], later: readonly Field[]): Field[] {
  const outputs = fieldsOf(later, graph.output).filter((field) => !valueName(field).includes(".encoder."));
  const attention = attentionLayers.map((layer) => {
    const from = `/model/decoder/layers.${layer}/encoder_attn/Softmax_output_0`;
    return makeNode("Identity", [from], [`cross_attention.${layer}`]);
  });
  const nodes = nodesOf(later).filter((candidate) => !candidate.outputs.includes("logits"));
  return assemble(
    "decoder",
    [...nodes, ...attention, ...logitsNodes()],
    merged,
    [...outputs, ...attentionLayers.map((layer) => floatOutput(`cross_attention.${layer}`, 4))],
    [transposedEmbedding(merged)],
  );
}

/** logits = hidden · embeddingᵀ, as an 8-bit integer product with the activations quantised on the fly. */
function logitsNodes(): Node[] {
  return [
    makeNode(
      "DynamicQuantizeLinear",
      [hiddenStates],
      ["hidden_quantized", "hidden_scale", "hidden_zero_point"],
    ),
    makeNode(
      "MatMulInteger",
      ["hidden_quantized", "embedding_transposed", "hidden_zero_point", `${embedding}_zero_point`],
      ["logits_integer"],
    ),
    makeNode("Cast", ["logits_integer"], ["logits_cast"], [intAttribute("to", 1)]),
    makeNode("Mul", ["hidden_scale", `${embedding}_scale`], ["logits_scale"]),
    makeNode("Mul", ["logits_cast", "logits_scale"], ["logits"]),
  ];
}

function transposedEmbedding(merged: readonly Field[]): Field {
  const found = fieldsOf(merged, graph.initializer)
    .map((field) => readFields(field.bytes))
    .find((fields) => textOf(fields, tensor.name) === `${embedding}_quantized`);
  const raw = found === undefined ? undefined : fieldsOf(found, tensor.rawData)[0]?.bytes;
  if (raw?.length !== embeddingRows * embeddingColumns)
    throw new Error("the decoder's embedding is not as expected");
  const transposed = new Uint8Array(raw.length);
  for (let row = 0; row < embeddingRows; row++) {
    for (let column = 0; column < embeddingColumns; column++) {
      transposed[column * embeddingRows + row] = raw[row * embeddingColumns + column] ?? 0;
    }
  }
  return messageField(graph.initializer, [
    varintField(tensor.dims, embeddingColumns),
    varintField(tensor.dims, embeddingRows),
    varintField(tensor.dataType, 2),
    textField(tensor.name, "embedding_transposed"),
    bytesField(tensor.rawData, transposed),
  ]);
}

/** A graph of the nodes, inputs and initializers that the outputs need, and nothing else. */
function assemble(
  name: string,
  nodes: readonly Node[],
  merged: readonly Field[],
  outputs: readonly Field[],
  added: readonly Field[],
): Field[] {
  const needed = new Set(outputs.map(valueName));
  const kept: Node[] = [];
  for (const candidate of nodes.toReversed()) {
    if (!candidate.outputs.some((output) => needed.has(output))) continue;
    for (const input of candidate.inputs) needed.add(input);
    kept.push(candidate);
  }
  const initializers = [...fieldsOf(merged, graph.initializer), ...added];
  return [
    ...kept.reverse().map((candidate) => candidate.field),
    textField(graph.name, name),
    ...initializers.filter((field) => needed.has(textOf(readFields(field.bytes), tensor.name))),
    ...fieldsOf(merged, graph.input).filter((field) => needed.has(valueName(field))),
    ...outputs,
  ];
}

function nodesOf(fields: readonly Field[]): Node[] {
  return fieldsOf(fields, graph.node).map((field) => {
    const inner = readFields(field.bytes);
    return { field, inputs: textsOf(inner, node.input), outputs: textsOf(inner, node.output) };
  });
}

function makeNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Field[] = [],
): Node {
  const field = messageField(graph.node, [
    ...inputs.map((input) => textField(node.input, input)),
    ...outputs.map((output) => textField(node.output, output)),
    textField(node.name, `derived/${outputs[0] ?? opType}`),
    textField(node.opType, opType),
    ...attributes,
  ]);
  return { field, inputs, outputs };
}

function intAttribute(name: string, value: number): Field {
  return messageField(node.attribute, [
    textField(attribute.name, name),
    varintField(attribute.int, value),
    varintField(attribute.type, attributeType.int),
  ]);
}

/** A ValueInfoProto of a float tensor whose dimensions are all open. */
function floatOutput(name: string, rank: number): Field {
  const dimensions = Array.from({ length: rank }, (_, axis) =>
    messageField(1, [textField(2, `${name}_${axis}`)]),
  );
  const tensorType = [varintField(1, 1), messageField(2, dimensions)];
  return messageField(graph.output, [textField(1, name), messageField(2, [messageField(1, tensorType)])]);
}

function valueName(field: Field): string {
  return textOf(readFields(field.bytes), 1);
}

function one(fields: readonly Field[]): Field {
  const [only, ...others] = fields;
  if (only === undefined || others.length > 0) throw new Error("the decoder's graph is not as expected");
  return only;
}
