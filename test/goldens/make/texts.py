"""Writes tokenizer/repaired.json: texts, what basic_clean of OpenCLIP makes of them, and their token ids; and
tokenizer/transformers.json: ids of the same kind of text from transformers' tokenizer, which repairs nothing.

    pip install open_clip_torch==2.24.0 ftfy==6.3.1 tokenizers==0.23.3 && python test/goldens/make/texts.py
"""
import json
import random
from pathlib import Path

from ftfy import bad_codecs  # noqa: F401  registers the sloppy encodings
from ftfy.badness import MOJIBAKE_CATEGORIES
from ftfy.chardata import CHARMAP_ENCODINGS
from open_clip.tokenizer import SimpleTokenizer, basic_clean
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent.parent / "tokenizer"
random.seed(1)

PLAIN = [
    "a photo of someone’s dog", "a sign that says “open”", "wait… a ﬁsh", "ﬀ ﬂ ﬃ ﬄ ﬅ ﬆ Ĳ ŉ Ǆ", "‚low’ „and” ‛reversed‟ ʼ",
    "ＡＢＣ　１２３", "ｶﾒﾗ ﾊﾟﾋﾟ ￦", "naïve façade £5", "e\u0301 \u212b \u1e9b\u0323", "line\r\nbreak\rhere\u2028and\u2029there\x85end",
    "a dog\0 and\x1b[31m cat\x1b[0m", "bell\x07 del\x7f \u206a\ufffc", "\ufeffa byte order mark", "\x1a substitute \ufffd", "  blanks \t\n tabs\u00a0and\u3000wide  ",
    "&amp; &lt;b&gt; &eacute; &EACUTE; &NTILDE; &nTILDE;", "P&EACUTE;REZ BUNDESSTRA&SZLIG;E", "&amp;amp;amp;lt;", "&copy 2020 &notit; &para &ampx", "&Jscr;ohn &HilbertSpace; &NotEqualTilde; &fjlig;",
    "<b>&eacute;&amp;</b>", "<i>\n&amp;eacute;\n&EACUTE;", "&eacute;\n<i>", "&#233; &#xE9; &#128; &#0; &#xD800; &#99999999; &#59; &#x3b;", "&#8220;quoted&#8221; &rsquo;",
    "100 €, 50 °C, ½ ± µ", "®©™ §¶", "Ö Ø Å is a word", "Ã la mode", "Ã s Ã quele", "Â© Â«quotedÂ»", "l’été", "¿Qué? ¡No!", "œuvre œ, Œ.", "√± ≈° ‚Äú MacRoman", "вЂ™ ГўВЂВ™ a",
    "a\u00adb a\u200bb a\u200db", "🙂 👍🏽 🏴\U000e0067\U000e007f", "Привет мир", "Καλημέρα ΣΑΣ", "日本語のテキスト", "مرحبا", "हिन्दी", "İstanbul ǅ ẞ", "it's IT'S we'LL", "(ง'⌣')ง", "x² × y³ ÷ 2",
]
MEANT = [
    "café in Paris", "it’s a dog", "“quoted” – dash…", "à la mode", "voilà le travail", "Łódź Žižek", "50 °C ½ £5 €9", "¿Qué? ®©™", "œuvre", "Привет мир",
    "Καλημέρα", "日本語", "مرحبا", "हिन्दी", "🙂 smile 👍",
]


def mistaken(text, *encodings):
    """A text whose UTF-8 was read in other encodings, one after another; None where that cannot be."""
    for encoding in encodings:
        try:
            text = text.encode("utf-8").decode(encoding)
        except UnicodeDecodeError:
            return None
    return text


texts = list(PLAIN)
for meant in MEANT:
    once = [mistaken(meant, encoding) for encoding in CHARMAP_ENCODINGS]
    texts += [text for text in once[:6] if text] + random.sample([text for text in once[6:] if text], 2)
    texts.append(mistaken(meant, "sloppy-windows-1252", "sloppy-windows-1252"))
    mixed = once[1].replace("\xa0", " ")
    texts += [mixed, f"“{meant}” and {mixed}", mixed[:2] + "\ufffd" + mixed[3:]]
# CESU-8 and Java's null, in a text read as Latin-1.
texts += [b"\xed\xa0\xbd\xed\xb8\x80 \xc3\xa9".decode("latin-1"), b"a\xc0\x80b \xc3\xa9".decode("latin-1"), b"\xed\xa0\xbd \xc3\xa9".decode("latin-1")]
characters = [c for kind in MOJIBAKE_CATEGORIES.values() for c in kind if c != "-"] + list("azAZ .,?!")
texts += ["".join(random.choices(characters, k=random.randint(2, 9))) for _ in range(80)]
texts = list(dict.fromkeys(texts))

tokenizer = SimpleTokenizer()
rows = [{"text": text, "clean": basic_clean(text), "ids": [49406, *tokenizer.encode(text)[:75], 49407]} for text in texts]

definition = json.loads((HERE / "tokenizer.json").read_text())
# Rust wants fields that the file leaves out; nothing is decoded.
definition["decoder"] = None
hugging_face = Tokenizer.from_str(json.dumps(definition))
others = [{"text": text, "ids": hugging_face.encode(text).ids} for text in PLAIN if "\ufeff" not in text]


def write(name, rows):
    (HERE / name).write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


write("repaired.json", rows)
write("transformers.json", others)
print(len(rows), sum(row["text"].strip() != row["clean"] for row in rows), len(others))
