import { imageConfigurationSchema, type ImageConfiguration } from "../model/image-configuration.ts";
import { imageIssues } from "../model/image-rules.ts";
import { parseFile } from "./parse.ts";

/**
 * Reads the configuration of an image, or the user's defaults for all.
 * @param name how the file is called in messages
 * @throws FileError with every problem at its line and column
 */
export function parseImageConfiguration(name: string, text: string): ImageConfiguration {
  // An empty file is YAML's null, and says nothing.
  const file = parseFile(name, text.trim() === "" ? "{}" : text, imageConfigurationSchema);
  file.refuse(imageIssues(file.value));
  return file.value;
}
