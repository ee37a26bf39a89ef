import { createServer } from "node:http";

/** Seconds that an idle connection is kept: longer than any pause of a probe, as its reopening would cost it time. */
const KEEP_ALIVE_MS = 75_000;

const [address = "", port = "", text = ""] = process.argv.slice(2);
const body = Buffer.from(text);
const server = createServer((request, response) => {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { Allow: "GET, HEAD" }).end();
    return;
  }
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length }).end(body);
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen({ host: address, port: Number(port), backlog: 1024 }, () =>
  console.log(`listening on ${address}:${port}`),
);
