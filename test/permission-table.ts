/**
 * The table of the README that says who may call what, made from the one that the server goes by. Run as a program it writes
 * the table into the README.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { format } from "prettier";
import { AnalysisService } from "../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TokenService } from "../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { permissions } from "../src/gateway/permissions.ts";
import type { Permission } from "../src/gateway/permissions.ts";

const services: readonly DescService[] = [TokenService, TranscriptionService, AnalysisService];
const begin = "<!-- who may call what: npm run generate -->";
const end = "<!-- end -->";
const readme = join(import.meta.dirname, "../README.md");

/** As prettier has it, so that the README stays formatted. */
export async function permissionTable(): Promise<string> {
  const rows = services.flatMap((service) =>
    service.methods.map((method) => {
      const permission = permissions.get(`${service.typeName}.${method.name}`) ?? {};
      return `| \`${service.name}.${method.name}\` | ${cells(permission).join(" | ")} |`;
    }),
  );
  const head = ["| RPC | user | participant | API key |", "| --- | --- | --- | --- |"];
  return (await format([...head, ...rows].join("\n"), { parser: "markdown" })).trim();
}

function cells({ user, participant, service, anyService, open }: Permission): string[] {
  if (open) return ["none needed", "none needed", "none needed"];
  const mark = (may: true | undefined) => (may ? "yes" : "");
  return [mark(user), mark(participant), anyService ? "any" : service === undefined ? "" : `\`${service}\``];
}

/** The table that the README has. */
export function publishedTable(text = readFileSync(readme, "utf8")): string {
  return text.slice(text.indexOf(begin) + begin.length, text.indexOf(end, text.indexOf(begin))).trim();
}

if (import.meta.main) {
  const text = readFileSync(readme, "utf8");
  const [before = "", rest = ""] = text.split(begin, 2);
  const after = rest.slice(rest.indexOf(end));
  writeFileSync(readme, `${before}${begin}\n\n${await permissionTable()}\n\n${after}`);
}
