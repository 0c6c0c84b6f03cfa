"""Quantities as people read them."""

_UNITS = ("KiB", "MiB", "GiB", "TiB")


def byte_text(count: int) -> str:
    """Return a number of bytes in the largest unit that is not above it, with four digits."""
    if count < 1024:
        return f"{count} byte{'' if count == 1 else 's'}"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / 1024**power:,.4g} {_UNITS[power - 1]}" if count < 1024**5 else f"{count:,} bytes"


def more_than(count: int, room: int) -> tuple[str, str]:
    """Return a number of bytes and the smaller room for them; byte by byte where units hide the difference."""
    texts = byte_text(count), byte_text(room)
    return texts if texts[0] != texts[1] else (f"{count:,} bytes", f"{room:,}")
