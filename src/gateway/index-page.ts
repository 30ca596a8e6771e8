/** What a browser sees at `/` where the studio is not built: how to build it, and how to call. No script, no request. */

export function indexPage(): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Parley</title>
    <style>
      body { max-width: 40rem; margin: 10vh auto; padding: 0 1rem; font: 1rem/1.5 sans-serif }
      pre { overflow-x: auto }
    </style>
  </head>
  <body>
    <main>
      <h1>Parley is running</h1>
      <p>The studio belongs here, and is not built yet. Build it, then start the server again:</p>
      <pre>npm run build:web</pre>
      <p>This port speaks gRPC, gRPC-web and Connect all the same; reflection is on.</p>
      <pre>buf curl --http2-prior-knowledge --list-methods http://localhost:PORT</pre>
      <p><a href="/health">Health</a></p>
    </main>
  </body>
</html>
`;
}
