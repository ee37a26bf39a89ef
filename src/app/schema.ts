export { jsonSchema } from "../files/json-schema.ts";
