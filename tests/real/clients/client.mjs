// The official TypeScript client, v1 or v2, through all that a server offers: client.mjs TASK.
//
// TASK is JSON: how to reach the server (`command` and `env`, or `url` and `headers`), `modules` (a
// node_modules directory), `sdk` (1 or 2), the `mode` of a v2 client, and which `server` it is.
// Prints what came as JSON; what differs from run to run is left out.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const task = JSON.parse(process.argv[2]);
const words = JSON.parse(readFileSync(new URL("words.json", import.meta.url)))[task.server];
const BIG = "x".repeat(1 << 20);
const load = (...path) => import(pathToFileURL(join(task.modules, "@modelcontextprotocol", ...path)));

const progress = [];
const asked = [];
const logs = [];
const updates = [];
let news = () => {};

async function until(condition) {
  while (!condition()) await new Promise((resolve) => (news = resolve));
}

const answers = {
  "sampling/createMessage": () => {
    asked.push("sampling");
    return {
      role: "assistant",
      content: { type: "text", text: "hello from the model" },
      model: "none",
    };
  },
  "elicitation/create": (request) => {
    asked.push(`elicitation: ${request.params.message}`);
    return { action: "accept", content: { word: "snow", name: "Ada" } };
  },
  "roots/list": () => {
    asked.push("roots");
    return { roots: [{ uri: "file:///tmp", name: "tmp" }] };
  },
};
const told = {
  "notifications/message": (note) => logs.push(note.params.data),
  "notifications/resources/updated": (note) => updates.push(note.params.uri),
};

function serve(client, schema) {
  for (const [method, answer] of Object.entries(answers)) {
    client.setRequestHandler(schema(method), async (request) => answer(request));
  }
  for (const [method, take] of Object.entries(told)) {
    client.setNotificationHandler(schema(method), (note) => {
      take(note);
      news();
    });
  }
}

async function connect() {
  const capabilities = { sampling: {}, elicitation: {}, roots: { listChanged: true } };
  const who = { name: `typescript-${task.sdk}`, version: "1" };
  let client, Stdio, Http;
  if (task.sdk === 1) {
    const base = ["sdk", "dist", "esm"];
    const types = await load(...base, "types.js");
    const schemas = {
      "sampling/createMessage": types.CreateMessageRequestSchema,
      "elicitation/create": types.ElicitRequestSchema,
      "roots/list": types.ListRootsRequestSchema,
      "notifications/message": types.LoggingMessageNotificationSchema,
      "notifications/resources/updated": types.ResourceUpdatedNotificationSchema,
    };
    const { Client } = await load(...base, "client", "index.js");
    Stdio = (await load(...base, "client", "stdio.js")).StdioClientTransport;
    Http = (await load(...base, "client", "streamableHttp.js")).StreamableHTTPClientTransport;
    client = new Client(who, { capabilities });
    serve(client, (method) => schemas[method]);
  } else {
    const { Client, StreamableHTTPClientTransport } = await load("client", "dist", "index.mjs");
    Stdio = (await load("client", "dist", "stdio.mjs")).StdioClientTransport;
    Http = StreamableHTTPClientTransport;
    client = new Client(who, { capabilities, versionNegotiation: { mode: task.mode } });
    serve(client, (method) => method);
  }
  const transport = task.command
    ? new Stdio({ command: task.command[0], args: task.command.slice(1), env: task.env })
    : new Http(new URL(task.url), { requestInit: { headers: task.headers } });
  await client.connect(transport);
  return client;
}

// A result without what is about this answer and not in it.
function plain(result) {
  const { ttlMs, cacheScope, _meta, ...rest } = result;
  return rest;
}

function call(client, [name, args], options) {
  const params = { name, arguments: args };
  return task.sdk === 1
    ? client.callTool(params, undefined, options)
    : client.callTool(params, options);
}

const onprogress = (step) => {
  progress.push([step.progress, step.total ?? null, step.message ?? null]);
  news();
};

async function through(client) {
  const stateless = client.getNegotiatedProtocolVersion?.() >= "2026";
  const got = { stateless };
  got.tools = (await client.listTools()).tools.map((tool) => tool.name).sort();
  got.echo = plain(await call(client, ["echo", { message: "☃ \u2028 \x1b" }]));
  const big = (await call(client, ["echo", { message: BIG }])).content[0].text;
  got.big = [big.length, big === `Echo: ${BIG}`];
  got.steps = plain(await call(client, words.steps, { onprogress }));
  got.progress = progress.slice(0, 1); // v1 may drop the last, which comes with the answer
  got.ask = plain(await call(client, [words.ask, {}]));
  if (words.sample) {
    got.sample = plain(await call(client, words.sample));
    got.roots = plain(await call(client, [words.roots, {}]));
  }
  got.resources = plain(await client.listResources());
  got.templates = plain(await client.listResourceTemplates());
  got.read = plain(await client.readResource({ uri: words.resource }));
  got.prompts = plain(await client.listPrompts());
  const [name, args] = words.prompt;
  got.prompt = plain(await client.getPrompt({ name, arguments: args }));
  const [prompt, argument, value] = words.complete;
  got.complete = plain(
    await client.complete({
      ref: { type: "ref/prompt", name: prompt },
      argument: { name: argument, value },
    }),
  );
  got.updates = await watch(client, stateless);
  if (words.log) got.logs = await logging(client);
  if (words.slow) got.cancelled = await cancelled(client);
  got.asked = [...new Set(asked)].sort(); // roots: as often as the server likes
  return got;
}

async function watch(client, stateless) {
  const uri = words.resource;
  const listening = stateless ? await client.listen({ resourceSubscriptions: [uri] }) : undefined;
  if (!stateless) await client.subscribeResource({ uri });
  await call(client, [words.touch, {}]);
  await until(() => updates.length);
  await (listening ? listening.close() : client.unsubscribeResource({ uri }));
  return updates[0];
}

async function logging(client) {
  await client.setLoggingLevel("debug");
  await call(client, [words.log, {}]);
  await until(() => logs.some((data) => String(data).includes("evel")));
  await call(client, [words.log, {}]);
  return "came";
}

async function cancelled(client) {
  progress.length = 0;
  const stop = new AbortController();
  const slow = call(client, words.slow, { onprogress, signal: stop.signal }).then(
    () => "answered",
    () => "given up",
  );
  await until(() => progress.length);
  stop.abort();
  return [await slow, plain(await call(client, ["echo", { message: "after" }]))];
}

const client = await connect();
process.stdout.write(JSON.stringify(await through(client)));
await client.close();
process.exit(0);
