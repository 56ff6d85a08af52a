// Writes src/api/schema.gen.ts, the types of the API, from openapi.json, which the server makes.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const here = new URL("../", import.meta.url);
const document = JSON.parse(await readFile(new URL("openapi.json", here), "utf8"));
// The names of operations are of no use here, and the generator wants them unique.
for (const path of Object.values(document.paths)) {
  for (const operation of Object.values(path)) delete operation.operationId;
}
const ast = await openapiTS(document, {
  alphabetize: true,
  // What has a default may be left out of a request.
  defaultNonNullable: false,
  rootTypes: true,
  rootTypesNoSchemaPrefix: true,
});
await writeFile(new URL("src/api/schema.gen.ts", here), astToString(ast));
