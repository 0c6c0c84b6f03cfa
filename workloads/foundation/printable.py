"""Make any text safe to show: a terminal obeys some characters, and a name from a file must not speak to it."""

from unicodedata import category

# Control characters, marks that turn the direction of writing, halves of a character, and line and paragraph breaks.
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str, keep: str = "") -> str:
    r"""Return a text with escapes such as ``\x1b`` where a terminal would obey; characters of `keep` stay."""
    if text.isprintable():
        return text
    return "".join(
        one.encode("unicode_escape").decode() if category(one) in _OBEYED and one not in keep else one for one in text
    )
