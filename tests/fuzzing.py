"""Documents that users give, and ways to damage them: bytes, structure, values."""

import copy
import random
from typing import Any

import yaml

WORDS = (
    "", "x", "no", "1", "a: b", "[red]", "\x1b[2J", "a\rb", "$x$", "../..", "/dev/zero", "conv2d", "gp", "ws", "\u202e",
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2, 3, 7, 0.5, -0.0, 1e-300, 1e300, 10**9, 2**31, 2**63, 2**64, 10**18, 10**30, 10**400, float("inf"),
    float("nan"),
)  # fmt: skip
TOKENS = (
    b"&a ", b"*a", b"<<: ", b"!!int ", b"!!bool ", b'!!float ""', b"!!map ", b"!!python/name:os ", b"? ", b"- ", b": ",
    b"{", b"[", b"]", b"'", b'"', b"|\n", b"%", b"\t", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"---\n", b"9" * 500,
    b"~", b".inf", b".nan", b"1e999", b"\\", b"#", b",", b"\n\n", b"\xc2\x85",
)  # fmt: skip


def damaged_bytes(data: bytes, draw: random.Random) -> bytes:
    """Return bytes with one to four places flipped, cut, doubled, or with a token put in."""
    found = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(found) + 1)
        length = draw.choice((1, 1, 2, 8, 64))
        way = draw.randrange(5)
        if way == 0 and at < len(found):
            found[at] ^= 1 << draw.randrange(8)
        elif way == 1:
            del found[at : at + length]
        elif way == 2:
            found[at:at] = found[at : at + length] * draw.choice((1, 3, 50))
        elif way == 3:
            del found[at:]
        else:
            found[at : at + draw.choice((0, 0, length))] = draw.choice(TOKENS)
    return bytes(found)


def damaged_yaml(text: bytes, draw: random.Random) -> bytes:
    """Return a document with one to three values dropped, replaced, moved, or grown."""
    document = yaml.safe_load(text)
    for _ in range(draw.randint(1, 3)):
        places = _places(document)
        if not places:
            break
        holder, key = draw.choice(places)
        if key not in _keys(holder):
            continue
        way = draw.randrange(5)
        if way == 0:
            del holder[key]
        elif way == 1:
            other, place = draw.choice(places)
            if place in _keys(other):
                holder[key] = copy.deepcopy(other[place])
        elif way == 2 and isinstance(holder, dict):
            holder[draw.choice(WORDS)] = holder.pop(key)
        elif way == 3 and isinstance(holder[key], list):
            holder[key] = holder[key] * draw.choice((0, 2, 20))
        else:
            holder[key] = junk(draw)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()


def damaged_csv(text: bytes, draw: random.Random) -> bytes:
    """Return a table with one to three cells or rows replaced, dropped or repeated."""
    rows = [line.split(",") for line in text.decode().split("\n")]
    for _ in range(draw.randint(1, 3)):
        row = draw.randrange(len(rows))
        cell = draw.randrange(len(rows[row]))
        way = draw.randrange(4)
        if way == 0:
            del rows[row][cell]
        elif way == 1:
            rows.insert(row, list(rows[row]))
        else:
            rows[row][cell] = draw.choice([str(number) for number in NUMBERS] + list(WORDS) + ['"', '"a', "a\x00"])
        rows = [one for one in rows if one] or [[""]]
    return "\n".join(",".join(row) for row in rows).encode()


def junk(draw: random.Random) -> Any:
    """Return a value of any kind."""
    kind = draw.randrange(6)
    if kind == 0:
        return [junk(draw) for _ in range(draw.randrange(3))]
    if kind == 1:
        return {draw.choice(WORDS): junk(draw) for _ in range(draw.randrange(3))}
    if kind == 2:
        return draw.choice((None, True, False))
    return draw.choice(NUMBERS) if kind < 5 else draw.choice(WORDS)


def _places(value: Any) -> list[tuple[Any, Any]]:
    found = []
    for key in _keys(value):
        found += [(value, key), *_places(value[key])]
    return found


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []
