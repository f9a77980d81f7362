"""Writes src/text/ftfy/tables.ts and src/text/html-names.ts: what ftfy 6.3.1 and Python's html module know of characters.

    pip install ftfy==6.3.1 && python test/goldens/make/text_tables.py     (from the repository's root)
"""
import html
import textwrap
from html.entities import html5

import ftfy.bad_codecs  # registers the sloppy encodings
from ftfy import badness, chardata

SOURCE = "// Written by test/goldens/make/text_tables.py; not to be edited by hand."
LICENCE = """// The categories of characters and the clues are ftfy's (https://github.com/rspeer/python-ftfy), Copyright 2023 Robyn Speer,
// licensed under the Apache License, Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0)."""


def literal(text):
    """A JavaScript string; what cannot be seen or stands above another character is escaped."""
    shown = (c if c.isprintable() and not c.isspace() and c not in '"\\' or c == " " else f"\\u{ord(c):04x}" for c in text)
    return '"' + "".join(shown) + '"'


def charmaps():
    for encoding in chardata.CHARMAP_ENCODINGS[1:]:
        yield encoding, bytes(range(0x80, 0x100)).decode(encoding)


lines = [SOURCE, LICENCE, ""]
lines.append("/** What the bytes 0x80 to 0xff are in each encoding that texts are mistaken for, in the order they are tried. */")
lines.append("export const UPPER_HALVES = {")
lines += [f'  "{name}":\n    {literal(chars)},' for name, chars in charmaps()]
lines.append("} as const;\n")
lines.append("/** Kinds of characters that tell mojibake from text, as the inside of a regular expression's brackets. */")
lines.append("export const KINDS = {")
lines += [f"  {name}:\n    {literal(chars)}," for name, chars in badness.MOJIBAKE_CATEGORIES.items()]
lines.append("} as const;\n")
lines.append("/** What the bytes of UTF-8 look like where they were read as another encoding, in the same form. */")
lines.append("export const CLUES = {")
lines += [f"  {name.removeprefix('utf8_')}:\n    {literal(chars)}," for name, chars in chardata.UTF8_CLUES.items()]
lines.append("} as const;")
open("src/text/ftfy/tables.ts", "w").write("\n".join(lines) + "\n")

named = {name[:-1]: chars for name, chars in html5.items() if name.endswith(";")}
bare = [name for name in html5 if not name.endswith(";")]
assert all(html5[name] == named[name] for name in bare)
pairs = [f"{name}={'+'.join(f'{ord(c):x}' for c in chars)}" for name, chars in named.items()]
wrap = lambda words: "\n".join(textwrap.wrap(" ".join(words), 116, break_long_words=False, break_on_hyphens=False))
text = f"""{SOURCE}

/** The character references of HTML 5 by name, without `&` and `;`, and their characters' numbers in base 16. */
export const HTML_NAMES = `{wrap(pairs)}`;

/** Those that HTML lets end without a semicolon. */
export const BARE_HTML_NAMES = `{wrap(bare)}`;
"""
open("src/text/html-names.ts", "w").write(text)
