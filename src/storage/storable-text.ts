/**
 * Text that PostgreSQL can hold. It has no NUL character and no lone surrogate; both become U+FFFD here, in what is
 * written and in what is looked up alike, so that such a value is found again under the name it was given.
 */
import { OperationNodeTransformer } from "kysely";
import type {
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  PrimitiveValueListNode,
  QueryResult,
  RootOperationNode,
  UnknownRow,
  ValueNode,
} from "kysely";

export function storableText(text: string): string {
  return text.replaceAll("\0", "\uFFFD").toWellFormed();
}

/** The text of a jsonb value. The only way to write one: Kysely and the drivers treat bare arrays differently. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => storable(part));
}

/** Makes every parameter of every query storable. */
export class StorableText implements KyselyPlugin {
  readonly #transformer = new StorableParameters();

  transformQuery(args: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(args.node, args.queryId);
  }

  transformResult(args: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(args.result);
  }
}

class StorableParameters extends OperationNodeTransformer {
  protected override transformValue(node: ValueNode): ValueNode {
    return { ...node, value: storable(node.value) };
  }

  protected override transformPrimitiveValueList(node: PrimitiveValueListNode): PrimitiveValueListNode {
    return { ...node, values: node.values.map(storable) };
  }
}

function storable(value: unknown): unknown {
  return typeof value === "string" ? storableText(value) : value;
}
