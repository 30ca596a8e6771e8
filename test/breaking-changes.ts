/**
 * Fails when the protos break clients: compares them with the last release, or where there is none yet with the main line,
 * or with what was committed last.
 */
import { spawnSync } from "node:child_process";

const git = (...args: string[]) => {
  const { status, stdout } = spawnSync("git", args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
};
const hasProtos = (ref: string) => git("cat-file", "-e", `${ref}:buf.yaml`) !== undefined;

const release = git("describe", "--tags", "--abbrev=0", "--match", "v*");
const baseline = [release, "origin/main", "HEAD"].find((ref) => ref !== undefined && hasProtos(ref));
const commit = baseline === undefined ? undefined : git("rev-parse", `${baseline}^{commit}`);
if (commit === undefined) {
  console.log("buf breaking is skipped: this is not a git checkout with protos to compare with");
} else {
  const { status } = spawnSync("buf", ["breaking", "--against", `.git#ref=${commit}`], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}
