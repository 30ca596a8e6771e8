/** ListAuditEvents: the audit log as it is stored, for whoever wants to read it or to compute its hashes again. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { AuditEvent, AuditSink } from "../../../token/audit/audit-event.ts";
import type { AuditStore } from "../../../token/audit/audit-store.ts";
import { readPage } from "../page.ts";

export interface AuditDependencies {
  readonly audit: Pick<AuditStore, "list">;
  readonly auditLog: AuditSink;
}

const defaultPageSize = 100;

export function auditMethods({
  audit,
  auditLog,
}: AuditDependencies): Pick<ServiceImpl<typeof TokenService>, "listAuditEvents"> {
  return {
    async listAuditEvents(request) {
      // What was answered before is in the list. A log that cannot be written can still be read; the log itself complains.
      await auditLog.flush().catch(() => undefined);
      const { actor, pageToken, pageSize = defaultPageSize } = request;
      const page = await audit.list(actor === "" ? {} : { actor }, readPage({ pageToken, pageSize }));
      return { events: page.items.map(toProto), nextPageToken: page.next ?? "" };
    },
  };
}

function toProto(event: AuditEvent) {
  const { sequence, createTime, ...others } = event;
  return { ...others, sequence: BigInt(sequence), createTime: timestampFromDate(createTime) };
}
