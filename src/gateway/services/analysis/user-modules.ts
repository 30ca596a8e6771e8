/** SaveUserModule and ListUserModules: a user's own documents. */
import type { JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { UserModule } from "../../../analysis/user-module-store.ts";
import type { UserModules } from "../../../analysis/user-modules.ts";
import { requireCaller } from "../../interceptors/credentials.ts";

export interface UserModuleDependencies {
  readonly userModules: UserModules;
}

export function userModuleMethods({
  userModules,
}: UserModuleDependencies): Pick<ServiceImpl<typeof AnalysisService>, "saveUserModule" | "listUserModules"> {
  return {
    async saveUserModule({ moduleName, document = {}, userId }, context) {
      const module = await userModules.save({ userId: ownId(userId, context), moduleName, document });
      return { module: describe(module) };
    },

    async listUserModules({ userId }, context) {
      return { modules: (await userModules.list(ownId(userId, context))).map(describe) };
    },
  };
}

function ownId(asked: string, context: HandlerContext): string {
  const { userId } = requireCaller(context, "user");
  if (asked === "" || asked === userId) return userId;
  throw new ConnectError("user_id: a user may send only their own id", Code.PermissionDenied);
}

function describe({ moduleName, document, updateTime }: UserModule) {
  return { moduleName, document: document as JsonObject, updateTime: timestampFromDate(updateTime) };
}
