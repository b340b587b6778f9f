// A server made with the official TypeScript SDK that notes which tools ran:
// two_tools.mjs FILE NODE_MODULES

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [file, modules] = process.argv.slice(2);
const sdk = join(modules, "@modelcontextprotocol", "sdk", "dist", "esm", "server");
const { McpServer } = await import(pathToFileURL(join(sdk, "mcp.js")));
const { StdioServerTransport } = await import(pathToFileURL(join(sdk, "stdio.js")));

const server = new McpServer({ name: "two-tools", version: "1" });
for (const name of ["look", "wipe"]) {
  server.registerTool(name, { description: name }, async () => {
    appendFileSync(file, `${name}\n`);
    return { content: [{ type: "text", text: `${name} ran` }] };
  });
}
await server.connect(new StdioServerTransport());
