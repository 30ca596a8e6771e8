/**
 * The direction of imports: inward. `delivery` knows nobody; only the composition root knows everybody; a vendor's library is
 * known to one folder each.
 */
const only = (name, comment, library, allowed) => ({
  name,
  comment,
  severity: "error",
  from: { path: "^src", pathNot: allowed },
  to: { path: library },
});

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "delivery-is-pure",
      comment: "delivery imports nothing of the others, and no library",
      severity: "error",
      from: { path: "^src/delivery/" },
      to: { pathNot: "^src/delivery/" },
    },
    {
      name: "parts-do-not-know-the-gateway",
      severity: "error",
      from: { path: "^src/(token|transcription|delivery|analysis|storage)/" },
      to: { path: "^src/(gateway|cli|web|client|main|diagnose|verify-audit-log|write-api-key)" },
    },
    {
      name: "storage-is-below-the-parts",
      comment: "storage may use the types of the parts, and none of their code",
      severity: "error",
      from: { path: "^src/storage/" },
      to: { path: "^src/(token|transcription|analysis)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "parts-do-not-know-storage",
      comment: "parts name what they need as an interface of their own; main.ts hands it in",
      severity: "error",
      from: { path: "^src/(token|transcription|delivery|analysis)/" },
      to: { path: "^src/storage/" },
    },
    {
      name: "clients-speak-through-gen",
      comment:
        "cli, web and client speak through the generated clients; cli may start a server and sign with the shared secret",
      severity: "error",
      from: { path: "^src/(cli|web|client)/" },
      to: {
        path: "^src/(transcription|analysis|storage|gateway)/",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "clients-leave-figures-to-the-server",
      comment: "but the studio draws what it hears at once, by the same formulas",
      severity: "error",
      from: { path: "^src/(cli|client)/" },
      to: { path: "^src/delivery/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "studio-runs-in-browsers",
      comment: "the studio is a page: generated code, src/client, figures, and what is bundled with it",
      severity: "error",
      from: { path: "^src/web/" },
      to: {
        pathNot:
          "^(src/(web|client|delivery)/|gen/ts/|node_modules/(@connectrpc/connect(-web)?|@bufbuild/protobuf|preact|@preact|uplot)/)",
      },
    },
    {
      name: "client-runs-in-browsers",
      comment:
        "an app imports client into its page: generated code, Connect and protobuf, and nothing of Node or the server",
      severity: "error",
      from: { path: "^src/client/" },
      to: {
        pathNot: "^(src/client/|gen/ts/|node_modules/@connectrpc/connect/|node_modules/@bufbuild/protobuf/)",
      },
    },
    {
      name: "only-main-wires",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(start\\.ts|cli/)" },
      to: { path: "^src/(main|diagnose|verify-audit-log|write-api-key)\\.ts$" },
    },
    only(
      "only-gateway-knows-connect-server",
      "",
      "node_modules/@connectrpc/connect-node",
      "^src/(gateway|cli)/",
    ),
    only("only-gateway-knows-connect", "", "node_modules/@connectrpc/", "^src/(gateway|cli|client|web)/"),
    only("only-the-studio-knows-its-page", "", "node_modules/(preact|@preact|uplot)/", "^src/web/"),
    only(
      "only-the-gateway-serves-websockets",
      "and Deepgram is reached over one",
      "node_modules/ws/",
      "^src/(gateway/websocket|transcription/engines/deepgram)/",
    ),
    only(
      "only-storage-knows-databases",
      "",
      "node_modules/(kysely|pg|@electric-sql|@redis)/",
      "^src/storage/",
    ),
    only(
      "only-offline-knows-onnx",
      "",
      "node_modules/(onnxruntime-node|llama-tokenizer-js)/",
      "^src/transcription/engines/offline/",
    ),
    only(
      "only-deepgram-knows-deepgram",
      "",
      "node_modules/@deepgram/",
      "^src/transcription/engines/deepgram/",
    ),
    only(
      "only-livekit-target-knows-livekit",
      "",
      "node_modules/(livekit-server-sdk|@livekit/protocol)/",
      "^src/token/targets/livekit/",
    ),
    only(
      "only-livekit-room-knows-rtc",
      "",
      "node_modules/@livekit/rtc-node",
      "^src/transcription/sources/livekit-room",
    ),
    {
      name: "not-to-dev-dep",
      severity: "error",
      from: { path: "^src", pathNot: "^src/web/" }, // which is bundled
      to: { dependencyTypes: ["npm-dev"] },
    },
    {
      name: "not-to-unresolvable",
      severity: "error",
      from: { path: "^(src|test)" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "types"],
      extensions: [".ts", ".tsx", ".js"],
    },
  },
};
