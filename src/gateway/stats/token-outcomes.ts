/** What a call of TokenService did to which tokens, read from its request and its answer: for counting, not for deciding. */
import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  Target,
  TokenKind,
  TokenService,
  ValidityReasonSchema,
} from "../../../gen/ts/parley/token/v1/token_pb.ts";
import type {
  CreateSessionTokensRequest,
  CreateSessionTokensResponse,
  RefreshTokenResponse,
  ValidityReason,
  ValidateTokenRequest,
  ValidateTokenResponse,
} from "../../../gen/ts/parley/token/v1/token_pb.ts";

export interface TokenOutcome {
  readonly target: Target;
  /** "created", "valid", or why not: a reason of ValidityReason or a code, in snake_case. */
  readonly outcome: string;
}

const { method } = TokenService;

const oneTarget: ReadonlyMap<DescMethod, Target> = new Map<DescMethod, Target>([
  [method.createTranscriptionToken, Target.TRANSCRIPTION],
  [method.createLiveKitToken, Target.LIVEKIT],
  [method.createJitsiToken, Target.JITSI],
  [method.createSfuToken, Target.SFU],
]);

/** Of a call that was answered. */
export function outcomesOf(called: DescMethod, request: Message, answer: Message): readonly TokenOutcome[] {
  const target = oneTarget.get(called);
  if (target !== undefined) return [{ target, outcome: "created" }];
  if (called === method.createSessionTokens) return created(answer as CreateSessionTokensResponse);
  if (called === method.refreshToken) {
    const { tokens } = answer as RefreshTokenResponse;
    return tokens ? created(tokens) : [];
  }
  if (called === method.validateToken)
    return [validated(request as ValidateTokenRequest, answer as ValidateTokenResponse)];
  return [];
}

/** Of a call that failed with this code, in snake_case. */
export function failuresOf(called: DescMethod, request: Message, code: string): readonly TokenOutcome[] {
  const target = oneTarget.get(called);
  if (target !== undefined) return [{ target, outcome: code }];
  if (called === method.createSessionTokens) {
    const { targets } = request as CreateSessionTokensRequest;
    return (targets.length > 0 ? targets : [Target.UNSPECIFIED]).map((asked) => ({
      target: asked,
      outcome: code,
    }));
  }
  if (called === method.refreshToken || called === method.validateToken)
    return [{ target: Target.UNSPECIFIED, outcome: code }];
  return [];
}

function created(tokens: CreateSessionTokensResponse): readonly TokenOutcome[] {
  const made: readonly [Target, string][] = [
    [Target.LIVEKIT, tokens.livekitToken],
    [Target.TRANSCRIPTION, tokens.transcriptionToken],
    [Target.JITSI, tokens.jitsiToken],
    [Target.SFU, tokens.sfuToken],
  ];
  return made.filter(([, token]) => token !== "").map(([target]) => ({ target, outcome: "created" }));
}

const kindTargets: Readonly<Partial<Record<TokenKind, Target>>> = {
  [TokenKind.TRANSCRIPTION]: Target.TRANSCRIPTION,
  [TokenKind.LIVEKIT]: Target.LIVEKIT,
  [TokenKind.JITSI]: Target.JITSI,
  [TokenKind.SFU]: Target.SFU,
};

function validated({ target }: ValidateTokenRequest, answer: ValidateTokenResponse): TokenOutcome {
  return {
    target: target === Target.UNSPECIFIED ? (kindTargets[answer.kind] ?? Target.UNSPECIFIED) : target,
    outcome: answer.valid ? "valid" : nameOf(answer.reason),
  };
}

function nameOf(reason: ValidityReason): string {
  return ValidityReasonSchema.value[reason]?.localName.toLowerCase() ?? "unknown";
}
