/** Pages that commands wrote, as the app shows them: of studies, comparisons and whatever else draws one. */
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { ClipInterpretError, messageOf } from "../support/errors.ts";
import { isFile } from "../support/files.ts";
import { slugOf } from "../support/slug.ts";
import { PAGE_POLICY } from "../views/kit/html.ts";

/** A page that the server was started with. */
export interface Report {
  /** What addresses call it. */
  readonly id: string;
  readonly title: string;
  /** The page as it is now: a report that is written again is shown anew. @throws `NOT_FOUND` */
  read(): Promise<Buffer>;
}

/** Bytes in which a page says what it is. */
const HEAD_BYTES = 4096;

/**
 * Finds reports.
 * @param paths pages, or folders of studies
 * @throws `INPUT_NOT_FOUND`; `INPUT_UNREADABLE` for what no command of this program drew: another page is not shown as one
 */
export async function openReports(paths: readonly string[]): Promise<Report[]> {
  const reports: Report[] = [];
  for (const path of paths) {
    const file = extname(path).toLowerCase() === ".html" ? resolve(path) : join(resolve(path), "index.html");
    if (!(await isFile(file))) {
      throw new ClipInterpretError("INPUT_NOT_FOUND", `--report ${path}: there is no ${file}`, {
        hint: "Name the folder that `study --out` wrote, or a page that `compare --out pairs.html` or another command drew.",
      });
    }
    const head = (await readFile(file)).subarray(0, HEAD_BYTES).toString();
    const title = /<title>([^<]*)<\/title>/.exec(head)?.[1];
    if (title === undefined || !head.includes(PAGE_POLICY)) {
      throw new ClipInterpretError("INPUT_UNREADABLE", `--report ${path} is no page that this program drew`, {
        hint: "Name what `study --out` or a command with `--out page.html` wrote; an atlas opens from its folder.",
      });
    }
    const name = basename(file) === "index.html" ? basename(dirname(file)) : basename(file, extname(file));
    const slug = slugOf(name) || "report";
    let id = slug;
    for (let n = 2; reports.some((one) => one.id === id); n++) id = `${slug}-${n}`;
    reports.push({
      ...{ id, title: plainText(title) },
      read: () =>
        readFile(file).catch((cause: unknown) => {
          throw new ClipInterpretError(
            "NOT_FOUND",
            `the report ${id} is not there any more: ${messageOf(cause)}`,
            {
              cause,
            },
          );
        }),
    });
  }
  return reports;
}

/** Text that was escaped for HTML. */
const plainText = (html: string): string =>
  html
    .replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ENTITIES[name]!)
    .trim()
    .slice(0, 300);
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
