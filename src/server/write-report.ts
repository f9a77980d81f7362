import { writeWhole } from "../support/files.ts";

/** Writes a result, and the page that is drawn from it, side by side; the page last. @param file without its ending */
export async function writeReport(file: string, result: unknown, html: string): Promise<void> {
  await writeWhole(`${file}.json`, JSON.stringify(result));
  await writeWhole(`${file}.html`, html);
}
