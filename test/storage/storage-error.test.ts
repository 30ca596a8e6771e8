/** What each of the drivers' errors becomes. */
import { describe, expect, test } from "vitest";
import { StorageError, toStorageError } from "../../src/storage/storage-error.ts";

const withCode = (code: string) =>
  Object.assign(new Error("invalid input: a-value"), { code, detail: "a-value" });

describe("an error of the driver", () => {
  test.each([
    ["57P01", "unavailable"],
    ["57P03", "unavailable"],
    ["57014", "unavailable"],
    ["53300", "unavailable"],
    ["08006", "unavailable"],
    ["40P01", "unavailable"],
    ["25006", "unavailable"],
    ["ECONNREFUSED", "unavailable"],
    ["ECONNRESET", "unavailable"],
    ["EPIPE", "unavailable"],
    ["53100", "disk-full"],
    ["ENOSPC", "disk-full"],
    ["23505", "conflict"],
    ["XX001", "corrupt"],
    ["XX000", "internal"],
    ["28P01", "internal"],
    ["22P02", "internal"],
    ["ENOENT", "internal"],
  ])("%s is %s", (driverCode, code) => {
    const error = toStorageError(withCode(driverCode));
    expect(error).toMatchObject({ code, retryable: code === "unavailable" });
    expect(error.message).not.toContain("a-value");
  });

  test.each([
    "Connection terminated unexpectedly",
    "Connection terminated due to connection timeout",
    "Query read timeout",
    "timeout exceeded when trying to connect",
    "Client has encountered a connection error and is not queryable",
  ])("%s is unavailable", (message) => {
    expect(toStorageError(new Error(message))).toMatchObject({ code: "unavailable" });
  });

  test("that is a StorageError stays itself, and anything else is internal", () => {
    const error = new StorageError("fenced", "gone");
    expect(toStorageError(error)).toBe(error);
    expect(toStorageError(new Error("whatever"))).toMatchObject({ code: "internal", retryable: false });
    expect(toStorageError("thrown text")).toMatchObject({ code: "internal" });
  });
});
