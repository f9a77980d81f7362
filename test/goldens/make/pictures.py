"""Makes test/goldens/pictures: small files of every kind that is read, and what Pillow makes of them.

    pip install pillow==12.1.1 pillow-heif==1.8.1 numpy==2.4.6
    python test/goldens/make/pictures.py

expected.json has, for each file, Pillow's mode and size and the SHA-256 of its pixels as RGB; and, for files and configs,
the SHA-256 of the square that a model is shown.
"""

import hashlib
import json
import math
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

GOLDENS = Path(__file__).parent.parent
OUT = GOLDENS / "pictures"
rng = np.random.default_rng(14)
W, H = 21, 13
y, x = np.mgrid[0:H, 0:W]
smooth = np.stack([x * 12, y * 19, (x + y) * 7], -1).astype(np.uint8)
indices = ((x * 7 + y * 3) % 16).astype(np.uint8)
colours = rng.integers(0, 256, (256, 3), dtype=np.uint8)
ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)


def bmp(name, bits, rows, palette=None, top_down=False, header=40, compression=0, masks=(), count=None, size=(W, H)):
    """rows: packed bytes of each row from the top, without padding, or one bytes object of runs."""
    width, height = size
    if isinstance(rows, bytes):
        data = rows
    else:
        padded = [row + b"\0" * (-len(row) % 4) for row in rows]
        data = b"".join(padded if top_down else padded[::-1])
    table = b""
    if palette is not None:
        table = b"".join(bytes(c[::-1]) + (b"" if header == 12 else b"\0") for c in palette)
    extra = b"".join(struct.pack("<I", m) for m in masks)
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack(
            "<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, compression, len(data), 2835, 2835,
            0 if palette is None else (count or len(palette)), 0,
        )
        if header > 40:
            info += extra.ljust(header - 40, b"\0")
            extra = b""
    start = 14 + len(info) + len(extra) + len(table)
    head = b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
    (OUT / name).write_bytes(head + info + extra + table + data)


def packed(bits, values):
    text = "".join(format(int(v), f"0{bits}b") for v in values)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def make_bmps():
    bmp("bits-1.bmp", 1, [packed(1, r % 2) for r in indices], colours[:2])
    bmp("black-white.bmp", 1, [packed(1, r % 2) for r in indices], [(0, 0, 0), (255, 255, 255)])
    bmp("bits-4.bmp", 4, [packed(4, r) for r in indices], colours[:16])
    bmp("bits-8.bmp", 8, [r.tobytes() for r in indices], colours)
    bmp("few-colours.bmp", 8, [r.tobytes() for r in indices], colours[:9])
    bmp("ramp.bmp", 8, [(r * 11).tobytes() for r in indices], ramp)
    bmp("os2.bmp", 8, [r.tobytes() for r in indices], colours, header=12)
    bmp("os2-24.bmp", 24, [r[:, ::-1].tobytes() for r in smooth], header=12)
    bmp("bits-24.bmp", 24, [r[:, ::-1].tobytes() for r in smooth])
    bmp("top-down.bmp", 24, [r[:, ::-1].tobytes() for r in smooth], top_down=True)
    bgra = np.concatenate([smooth[..., ::-1], (x * 9)[..., None].astype(np.uint8)], -1)
    bmp("bits-32.bmp", 32, [r.tobytes() for r in bgra])
    bmp("alpha.bmp", 32, [r.tobytes() for r in bgra], header=124, compression=3,
        masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000))
    bmp("rgbx.bmp", 32, [r.tobytes() for r in bgra], header=56, compression=3, masks=(0xFF000000, 0xFF0000, 0xFF00, 0))
    sixteen = rng.integers(0, 65536, (H, W)).astype("<u2")
    bmp("bits-555.bmp", 16, [r.tobytes() for r in sixteen])
    bmp("bits-565.bmp", 16, [r.tobytes() for r in sixteen], compression=3, masks=(0xF800, 0x7E0, 0x1F))
    runs = b""
    for row in indices[::-1]:
        runs += bytes([5, 40]) + bytes([0, 7]) + bytes(row[:7]) + b"\0" + bytes([W - 12, int(row[9])]) + b"\0\0"
    bmp("rle-8.bmp", 8, runs[:-2] + b"\0\1", colours, compression=1)
    runs = b"".join(
        bytes([6, 0x3A]) + bytes([0, 8]) + packed(4, row[:8]) + bytes([W - 14, 0x5C]) + b"\0\0" for row in indices[::-1]
    )
    bmp("rle-4.bmp", 4, runs + b"\0\1", colours[:16], compression=2)


def make_netpbm():
    def write(name, head, body):
        (OUT / name).write_bytes(head + body)

    plain = lambda a: "\n".join(" ".join(map(str, r)) for r in a.reshape(H, -1)).encode()
    size = f"{W} {H}\n".encode()
    write("p1.pbm", b"P1\n# drawn by hand\n" + size, b"\n".join("".join(map(str, r % 2)).encode() for r in indices))
    write("p2.pgm", b"P2\n" + size + b"15\n", plain(indices))
    write("p3.ppm", b"P3\n" + size + b"255 # the most\n", plain(smooth))
    write("p4.pbm", b"P4\n" + size, b"".join(packed(1, r % 2) for r in indices))
    write("p5.pgm", b"P5\n# made by nobody\n" + size + b"255\n", (indices * 16).tobytes())
    write("p5-100.pgm", b"P5 " + size + b"100\n", (indices * 6).tobytes())
    write("p6.ppm", b"P6\n" + size + b"255\n", smooth.tobytes())
    write("p6-16.ppm", b"P6\n" + size + b"65535\n", (smooth.astype(">u2") * 256 + 77).astype(">u2").tobytes())
    write("p6-1000.ppm", b"P6\n" + size + b"1000\n", (smooth.astype(">u2") * 4).astype(">u2").tobytes())


def make_gifs():
    def frame(values, palette, **more):
        image = Image.fromarray(values, "P")
        image.putpalette(palette.tobytes())
        return image

    frame(indices, colours[:16]).save(OUT / "plain.gif", interlace=0)
    tall = np.tile(indices, (3, 1))[:37]
    frame(tall, colours[:16]).save(OUT / "interlaced.gif", interlace=1)
    # Indices up to 15, and a table of eight colours.
    data = bytearray((OUT / "plain.gif").read_bytes())
    data[10] = data[10] & 0xF8 | 2
    (OUT / "short-table.gif").write_bytes(data[: 13 + 24] + data[13 + 48 :])
    # Noise fills the dictionary and starts it anew.
    frame(rng.integers(0, 256, (90, 110)).astype(np.uint8), colours).save(OUT / "noise.gif")
    frame(indices, colours[:16]).save(OUT / "transparent.gif", transparency=3)
    Image.fromarray((indices * 15).astype(np.uint8), "L").save(OUT / "gray.gif")
    # A frame of 21 × 13 at (4, 6), on a canvas that is larger or too small for it; its table is its own, or the canvas's.
    data = (OUT / "plain.gif").read_bytes()
    table = data[13 : 13 + 48]
    at = data.index(b",", 61)
    body = data[at + 10 :]
    control = b"!\xf9\x04\x01\0\0\x05\0"
    for name, canvas, own, ahead in [
        ("placed.gif", (40, 30), False, b""),
        ("placed-transparent.gif", (40, 30), False, control),
        ("own-table.gif", (40, 30), True, control),
        ("small-canvas.gif", (10, 8), False, b""),
    ]:
        head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0 if own else 0x83, 2, 0) + (b"" if own else table)
        place = b"," + struct.pack("<HHHHB", 4, 6, W, H, 0x83 if own else 0)
        (OUT / name).write_bytes(head + ahead + place + (table if own else b"") + body)


def make_tiffs():
    image = Image.fromarray(indices, "P")
    image.putpalette(colours[:16].tobytes())
    image.save(OUT / "palette.tif")
    for orientation in (3, 6):
        Image.fromarray(smooth).save(OUT / f"turned-{orientation}.tif", tiffinfo={274: orientation})
    Image.fromarray((indices % 2 * 255).astype(np.uint8)).convert("1").save(OUT / "bits-1.tif")
    Image.fromarray(smooth).convert("L").save(OUT / "gray.tif", compression="tiff_lzw")


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def resized(image, how):
    """The square of open_clip's transform (open_clip/transform.py) or transformers' (PIL backend), as RGB."""
    n = how["size"]
    to = how.get("resizeTo", n)
    fill = how.get("fill", 0)
    resample = {"bilinear": Image.BILINEAR}.get(how.get("interpolation"), Image.BICUBIC)
    transformers = how.get("order") == "transformers"
    if transformers:
        image = image.convert("RGB")
    w, h = image.size
    short, long = min(w, h), max(w, h)
    if how["resizeMode"] == "shortest":
        size = (to, int(to * long / short)) if w <= h else (int(to * long / short), to)
    elif how["resizeMode"] == "squash":
        size = (to, to)
    elif how["resizeMode"] == "longest":
        ratio = max(h / to, w / to)
        size = (round(w / ratio), round(h / ratio))
    else:
        size = (w, h)
    image = image.resize(size, resample)
    w, h = image.size
    if transformers:
        array = np.asarray(image)
        top, left = (h - n) // 2, (w - n) // 2
        full = np.zeros((max(n, h), max(n, w), 3), np.uint8)
        tp, lp = math.ceil((full.shape[0] - h) / 2), math.ceil((full.shape[1] - w) / 2)
        full[tp : tp + h, lp : lp + w] = array
        return full[max(0, top + tp) : top + tp + n, max(0, left + lp) : left + lp + n]
    pad = (max(n - w, 0) // 2, max(n - h, 0) // 2, (max(n - w, 0) + 1) // 2, (max(n - h, 0) + 1) // 2)
    if any(pad):
        bands = len(image.getbands())
        image = ImageOps.expand(image, pad, fill if bands == 1 else (fill,) * bands)
        w, h = image.size
    top, left = int(round((h - n) / 2)), int(round((w - n) / 2))
    return np.asarray(image.crop((left, top, left + n, top + n)).convert("RGB"))


SQUARES = [
    *((f"../pictures/{name}", {"resizeMode": "shortest", **more})
      for name in ("transparent.gif", "placed.gif", "gray.gif", "palette.tif", "bits-1.tif", "alpha.bmp", "p4.pbm")
      for more in ({}, {"order": "transformers", "interpolation": "bilinear"})),
    ("coco-000000000030.png", {"resizeMode": "shortest", "interpolation": "bilinear"}),
    ("coco-000000000030.png", {"resizeMode": "shortest", "order": "transformers"}),
    ("coco-000000000030.png", {"resizeMode": "longest", "fill": 90}),
    ("coco-000000000030.png", {"resizeMode": "squash", "interpolation": "bilinear"}),
    ("coco-000000000030.png", {"resizeMode": "shortest", "resizeTo": 71, "order": "transformers"}),
    ("coco-000000000030.png", {"resizeMode": "shortest", "resizeTo": 41, "order": "transformers"}),
    ("coco-000000000030.png", {"resizeMode": "none", "order": "transformers"}),
    ("skimage-chelsea.png", {"resizeMode": "shortest", "order": "transformers", "interpolation": "bilinear"}),
    ("tall.png", {"resizeMode": "longest"}),
    # Pillow 13 resizes this one's height first, and 12.2 the pole's: a level more or less.
    ("tall.png", {"resizeMode": "shortest"}),
    ("alpha.png", {"resizeMode": "shortest", "order": "transformers"}),
    ("alpha.png", {"resizeMode": "longest", "fill": 200}),
    ("gray.png", {"resizeMode": "longest", "fill": 200, "interpolation": "bilinear"}),
    ("tiny.png", {"resizeMode": "none", "order": "transformers"}),
]


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    make_bmps()
    make_netpbm()
    make_gifs()
    make_tiffs()
    Image.fromarray(rng.integers(0, 256, (640, 6, 3), dtype=np.uint8)).save(OUT / "pole.png")
    files = {}
    for path in sorted(OUT.iterdir()):
        if path.suffix in (".json", ".heic", ".png"):
            continue
        image = Image.open(path)
        image.load()
        files[path.name] = {"mode": image.mode, "size": image.size, "rgb": sha(np.asarray(image.convert("RGB")))}
    squares = []
    for size in (63, 64):
        for name, how in SQUARES:
            config = {"size": size, **how}
            image = Image.open(GOLDENS / "preprocess" / name)
            squares.append({"file": f"preprocess/{name}", "config": config, "rgb": sha(resized(image, config))})
    config = {"size": 4, "resizeMode": "shortest"}
    squares.append({"file": "pictures/pole.png", "config": config, "rgb": sha(resized(Image.open(OUT / "pole.png"), config))})
    (OUT / "expected.json").write_text(json.dumps({"files": files, "squares": squares}, indent=1) + "\n")
