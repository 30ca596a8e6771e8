/** What a browser sees at `/` until there is a studio: that the server runs, and how to call it. No script, no request. */

export function indexPage(): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Parley</title>
  </head>
  <body>
    <main>
      <h1>Parley is running</h1>
      <p>A speech backend to host yourself. This port speaks gRPC, gRPC-web and Connect; reflection is on.</p>
      <pre>buf curl --http2-prior-knowledge --list-methods http://localhost:PORT</pre>
      <p><a href="/health">Health</a></p>
    </main>
  </body>
</html>
`;
}
