/** A user is known by the address that their login says, and by no other. */
import type { ServiceCaller, UserCaller } from "../caller.ts";
import { ForbiddenError } from "../token-error.ts";

/** `field`: as the request names it. Throws ForbiddenError. Empty: not sent. */
export function checkEmail(field: string, email: string, caller: UserCaller | ServiceCaller): void {
  if (caller.kind === "user" && email !== "" && email !== caller.email)
    throw new ForbiddenError(`${field}: a user may send only the address that their login says`);
}
