import { explainWords } from "../../analysis/words/words.ts";
import { displayPicture } from "../../image/display.ts";
import { encodePng } from "../../image/encode.ts";
import type { ClipModel } from "../../model/clip-model.ts";
import { parseComponents, parseTextHeads } from "../../model/components.ts";
import { pixelSize } from "../../views/kit/panel.ts";
import { wordsHtml } from "../../views/words/page.ts";
import { wordsPictures } from "../../views/words/pictures.ts";
import { wordsSvg } from "../../views/words/svg.ts";
import { wordsTerminal } from "../../views/words/terminal.ts";
import type { CommandContext } from "../context.ts";
import { patchAt } from "../patch-option.ts";
import { writePictures } from "../pictures.ts";

/** What `explain --words` is asked. */
interface Asked {
  readonly source: string;
  readonly label: string | null;
  readonly text: string;
  readonly heads: string;
  readonly textHeads: string;
  readonly token?: string;
  readonly pairs: number;
  readonly exif: boolean;
  readonly maxPixels?: number;
  readonly out: readonly string[];
}

/** `explain IMAGE --words --text T`: which word looks where. */
export async function explainWordsCommand(
  { report, signal, streams, say, result }: CommandContext,
  model: ClipModel,
  { source, label, text, heads, textHeads, token, pairs, exif, maxPixels, out }: Asked,
): Promise<void> {
  const patch = patchAt(token, model.config.vision.grid);
  const found = await explainWords(model, source, text, {
    ...{ set: parseComponents(heads, model.geometry), written: heads, pairs, exif, report, signal },
    ...{ textSet: parseTextHeads(textHeads, await model.textGeometry()), writtenText: textHeads },
    image: { name: source, label },
    ...(patch !== undefined && { patch }),
    ...(maxPixels && { maxPixels }),
  });
  if (out.length > 0) {
    const { width, height } = pixelSize(found);
    const drawn = await wordsPictures(
      found,
      await displayPicture(source, width, height, { exif }),
      encodePng,
    );
    await writePictures(out, { svg: () => wordsSvg(found, drawn), html: () => wordsHtml(found, drawn) });
  }
  const { columns = 80 } = streams.stdout;
  result(found, () => wordsTerminal(found, { columns }));
  for (const path of out) say(`drawn: ${path}`);
}
