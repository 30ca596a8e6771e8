/** Pages as requests and answers have them. */
import type { PageRequest } from "../../page.ts";

const defaultPageSize = 50;

export function readPage(request: {
  readonly pageSize?: number | undefined;
  readonly pageToken: string;
}): PageRequest {
  const size = request.pageSize ?? defaultPageSize;
  return request.pageToken === "" ? { size } : { size, after: request.pageToken };
}
