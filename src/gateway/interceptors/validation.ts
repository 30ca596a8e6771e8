/**
 * Holds every request message to the rules in its proto. Answers INVALID_ARGUMENT with the fields and what they must be,
 * and the same as buf.validate.Violations for programs. Never echoes a value, nor the key of a map.
 */
import type { Message } from "@bufbuild/protobuf";
import { pathToString, type Path } from "@bufbuild/protobuf/reflect";
import { createValidator, Violation, violationsToProto, type Validator } from "@bufbuild/protovalidate";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { DescMessage } from "@bufbuild/protobuf";

export interface ValidationOptions {
  /**
   * Message types that are checked elsewhere, by full name: `true` for all of them, or a function that says which. For
   * audio, where the rules cost more than the work. Default none.
   */
  skip?: Readonly<Record<string, true | ((message: Message) => boolean)>>;
  /** Default: one validator for all calls. */
  validator?: Validator;
}

/** The first few, so that one message with a thousand faults does not make an answer of a thousand lines. */
const maxViolations = 10;

export function validationInterceptor(options: ValidationOptions = {}): Interceptor {
  const validator = options.validator ?? createValidator();
  const skip = new Map(Object.entries(options.skip ?? {}));
  return (next) => async (request) => {
    const schema = request.method.input;
    const skipped = skip.get(schema.typeName);
    if (skipped === true) return next(request);
    const check = (message: Message) => {
      if (skipped?.(message) !== true) validate(validator, schema, message);
    };
    if (request.stream) return next({ ...request, message: checkEach(request.message, check) });
    check(request.message);
    return next(request);
  };
}

/** Throws a ConnectError for a message that breaks its rules. */
export function validate(validator: Validator, schema: DescMessage, message: Message): void {
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  if (result.kind === "error") {
    throw new ConnectError("internal error", Code.Internal, undefined, undefined, result.error);
  }
  const shown = result.violations.slice(0, maxViolations).map(withoutMapKey);
  const more = result.violations.length - shown.length;
  const text = shown.map(describe).join("; ") + (more > 0 ? `; and ${more} more` : "");
  const [value, desc] = violationsToProto(shown);
  throw new ConnectError(text, Code.InvalidArgument, undefined, [{ desc, value }]);
}

function checkEach<T extends Message>(
  messages: AsyncIterable<T>,
  check: (message: T) => void,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return {
        async next() {
          const result = await iterator.next();
          if (result.done !== true) check(result.value);
          return result;
        },
        return: async (value: unknown) =>
          (await iterator.return?.(value)) ?? { done: true, value: undefined },
      };
    },
  };
}

/** "page_size: must be greater than or equal to 1 and less than or equal to 200" */
function describe(violation: Violation): string {
  const field = pathToString(violation.field);
  return `${field === "" ? "request" : field}: ${adviceOf(violation)}`;
}

function adviceOf(violation: Violation): string {
  // An enum may not be zero where the zero is "unspecified".
  if (violation.ruleId === "enum.not_in") return "must be set to one of the defined values";
  if (violation.ruleId === "enum.defined_only") return "must be one of the defined values";
  return violation.message === "" ? `breaks the rule ${violation.ruleId}` : violation.message;
}

/** Map keys are the caller's own words, so a path ends at its map. */
function withoutMapKey(violation: Violation): Violation {
  const at = violation.field.findIndex((part) => part.kind === "map_sub");
  if (at === -1) return violation;
  const field: Path = violation.field.slice(0, at);
  return new Violation(violation.message, violation.ruleId, field, violation.rule, violation.forKey);
}
