import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { familyOf, isAlive, survivors } from "./processes.ts";

const noProc = !existsSync("/proc/self/stat");

/** A process with a child of its own, which ends with it or does not. */
async function startFamily(child: string) {
  const code = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: ["ignore", "pipe", "ignore", "ipc"] });
    child.stdout.once("data", () => console.log(child.pid));`;
  const parent = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const family = familyOf(parent.pid!);
  parent.kill("SIGKILL");
  await once(parent, "exit");
  return { family, childPid: Number(line.toString()) };
}

describe.skipIf(noProc)(`a killed process${noProc ? " (skipped: no /proc here)" : ""}`, () => {
  test("whose child ends by itself leaves none", async () => {
    const { family, childPid } = await startFamily(
      `process.on("disconnect", () => process.exit()); console.log("ready")`,
    );
    expect(family.map(({ pid }) => pid)).toContain(childPid);
    expect(await survivors(family, 30_000)).toEqual([]);
  });

  test("whose child goes on is found out", async () => {
    const { family, childPid } = await startFamily(`setInterval(() => {}, 1000); console.log("ready")`);
    expect(await survivors(family, 300)).toEqual([childPid]);
    process.kill(childPid, "SIGKILL");
  });

  test("is not mistaken for another with its number", () => {
    expect(isAlive({ pid: process.pid, startTicks: "1" })).toBe(false);
    expect(familyOf(process.pid).some((member) => member.pid === process.pid && isAlive(member))).toBe(true);
  });
});
