"""How a template is laid out: one thing a line, what is in it further in, sentences broken at their spaces."""

import re
from collections.abc import Iterator

from gridgate.portal.template_lines import joined
from tools.templates.reading import (
    PLURAL,
    RAW,
    TAG,
    TRANSLATE,
    TRANSLATED,
    Element,
    Leaf,
    Node,
    Sentence,
    flat,
    is_condition,
    name_of,
    sentence_in,
    sentence_of,
    tree_of,
    with_space,
)

WIDTH = 110
"""Where lines are broken."""
LIMIT = 140
"""How long a line may be that has no place to be broken at before."""
STEP = "  "
SHORT = 72
"""How long a tag with an end may be to stand beside others on a line."""

SPACES = (" ", "\u00a0", "\u202f")
# fmt: off
BESIDE = frozenset((
    "a", "abbr", "b", "bdi", "br", "button", "cite", "code", "em", "i", "input", "kbd", "label", "mark", "output", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr",
))
# fmt: on
"""Elements that may stand beside others on a line."""
ALONE = frozenset(
    (
        "block",
        "crumb",
        "csrf_token",
        "empty",
        "extends",
        "field",
        "for",
        "include",
        "notice",
        "pager",
        "td",
        "th",
    )
)
"""Tags that may not."""
SENTENCES = re.compile(f"{TRANSLATED.pattern}|{TRANSLATE.pattern}", re.DOTALL)


def page(source: str) -> str:
    """A page's template laid out; a blank line sets apart what takes more than a line."""
    lines: list[str] = []
    was_long = False
    for unit in units_of(tree_of(joined(source))):
        more = lines_of(unit, "")
        is_long = len(more) > 1
        if lines and (is_long or was_long) and not lines[-1].startswith("{#"):
            lines.append("")
        lines += more
        was_long = is_long
    laid = "".join(f"{line}\n" for line in lines)
    if meaning(laid) != meaning(source) or signs(laid) != signs(source):
        raise ValueError("laid out, it would say something else")
    return laid


def letter(source: str) -> str:
    """A letter's template: its long lines are broken within their sentences, for elsewhere a line break is text."""
    whole = TRANSLATED.sub(lambda found: flat(sentence_of(found[1], found[2])), source)
    laid = "\n".join(line if len(line) <= WIDTH else _letter_line(line) for line in whole.split("\n"))
    if _sentences_alike(laid) != _sentences_alike(source):
        raise ValueError("laid out, it would say something else")
    return laid


def _letter_line(line: str) -> str:
    def broken(found: re.Match[str]) -> str:
        sentence = _found_sentence(found)
        return "\n".join(_sentence_lines(sentence, "")) if sentence else found.group()

    return SENTENCES.sub(broken, line)


# --- What must stay ----------------------------------------------------------------------------------------------


def meaning(source: str) -> str:
    """What a page's template says, however it is laid out."""
    said = _sentences_alike(flat(*tree_of(joined(source))))
    return re.sub(r" *#\}\{# *", " ", said)


def signs(source: str) -> str:
    """All of its signs but spaces: the same is asked without reading it as a tree."""
    said = _sentences_alike(source)
    return re.sub(r"\s+|\{#|#\}", "", said)


def _sentences_alike(source: str) -> str:
    """The source with each sentence on one line and written in the same of the two ways."""

    def alike(found: re.Match[str]) -> str:
        sentence = _found_sentence(found)
        return flat(sentence) if sentence else found.group()

    return re.sub(f" ?{PLURAL} ?", PLURAL, SENTENCES.sub(alike, source))


def _found_sentence(found: re.Match[str]) -> Sentence | None:
    return sentence_of(found[1], found[2]) if found[1] else sentence_in(found.group())


# --- What may stand on one line ----------------------------------------------------------------------------------


def may_stand_beside(node: Node) -> bool:
    """Whether others may be on its line."""
    if isinstance(node, Sentence):
        return True
    if isinstance(node, Leaf):
        return node.kind in ("text", "value", "end") or (
            node.kind == "tag" and name_of(node.text) not in ALONE
        )
    if node.is_tag and (node.name in ALONE or len(flat(node)) > SHORT):
        return False
    return (node.is_tag or node.name in BESIDE) and all(map(may_stand_beside, node.inside))


def reads_well_flat(node: Node) -> bool:
    """Whether one line is a good place for it: it has not much in it."""
    if not isinstance(node, Element):
        return True
    alone = sum(not may_stand_beside(one) for one in node.inside)
    if not all(map(reads_well_flat, node.inside)):
        return False
    if node.name == "block":
        return alone <= 1 and _depth(node) <= 2
    return alone <= (len(node.inside) == 1) and _depth(node) <= 1


def _depth(node: Node) -> int:
    """How many tags with an end stand within one another."""
    if not isinstance(node, Element) or not node.inside:
        return 0
    return max(map(_depth, node.inside)) + node.is_tag


def units_of(nodes: list[Node]) -> Iterator[list[Node]]:
    """The nodes, in groups between which a line may end."""
    unit: list[Node] = []
    for node in nodes:
        if unit and not _are_one(unit[-1], node):
            yield unit
            unit = []
        unit.append(node)
    if unit:
        yield unit


def _are_one(left: Node, right: Node) -> bool:
    """Whether a line's end between them would take a space away, or part a word from its mark."""
    if _text(left).endswith(SPACES) or _text(right).startswith(SPACES):
        return True
    return bool(_text(left) or _text(right)) and may_stand_beside(left) and may_stand_beside(right)


def _text(node: Node) -> str:
    return node.text if isinstance(node, Leaf) and node.kind == "text" else ""


# --- Lines -------------------------------------------------------------------------------------------------------


def lines_of(nodes: list[Node], indent: str) -> list[str]:
    """The lines of what stands side by side, each with its indentation."""
    lines: list[str] = []
    has_room = False
    for unit in units_of(nodes):
        text = flat(*unit)
        well = all(map(reads_well_flat, unit))
        beside = well and all(map(may_stand_beside, unit))
        if beside and has_room and len(lines[-1]) + len(text) <= WIDTH:
            lines[-1] += text
        elif well and len(indent) + len(text) <= WIDTH:
            lines.append(indent + text)
            has_room = beside
        else:
            lines += _unit_lines(unit, indent, indent)
            has_room = False
    return lines


def _unit_lines(unit: list[Node], indent: str, begun: str) -> list[str]:
    """The line that was begun and those that follow: each of the nodes goes on where the one before it ended."""
    lines = [begun]
    for rank, node in enumerate(unit):
        length = len(lines[-1]) + len(flat(node))
        if reads_well_flat(node) and length <= WIDTH and length + _least(unit[rank + 1 :]) <= LIMIT:
            lines[-1] += flat(node)
            continue
        first, *rest = _broken(node, indent, len(lines[-1]))
        lines[-1] += first
        lines += rest
    return lines


def _least(unit: list[Node]) -> int:
    """How much of the unit stays on the line it begins on, however it is broken."""
    length = 0
    for node in unit:
        if isinstance(node, Sentence):
            return length + len(node.opening)
        if isinstance(node, Element):
            return length + len(node.openings[0] if node.is_tag else node.name)
        length += len(node.text)
    return length


def _broken(node: Node, indent: str, column: int) -> list[str]:
    """The lines of one node; the first goes on at the column and has no indentation."""
    if isinstance(node, Sentence):
        return _sentence_lines(node, indent)
    if isinstance(node, Leaf):
        return _leaf_lines(node, indent)
    lines = _opening_lines(node, indent, column)
    if node.name in RAW:
        lines[-1] += flat(*node.branches[0]) + node.closing
        return lines
    on_the_same_line = not node.inside
    for rank, branch in enumerate(node.branches):
        if rank:
            _go_on(lines, node.openings[rank], indent, on_the_same_line)
        on_the_same_line = bool(branch) and _text(branch[-1]).endswith(SPACES)
        if branch and _text(branch[0]).startswith(SPACES):
            first, *others = units_of(branch)
            is_whole = not others and len(node.branches) == 1
            lines[-1:] = _unit_lines(first, indent if is_whole else indent + STEP, lines[-1])
            lines += [line for unit in others for line in lines_of(unit, indent + STEP)]
            on_the_same_line |= is_whole
        else:
            lines += lines_of(branch, indent + STEP)
    if node.closing:
        _go_on(lines, node.closing, indent, on_the_same_line)
    return lines


def _go_on(lines: list[str], text: str, indent: str, on_the_same_line: bool) -> None:
    if on_the_same_line:
        lines[-1] += text
    else:
        lines.append(indent + text)


def _opening_lines(node: Element, indent: str, column: int) -> list[str]:
    opening = node.openings[0]
    if not node.attributes or column + len(opening) <= WIDTH:
        return [opening]
    lines = [f"<{node.name}"]
    for attribute in node.attributes:
        shown = f" {with_space(attribute, '')}" if is_condition(attribute) else attribute
        if shown.startswith(" "):
            lines += _attribute_lines(shown[1:], indent + STEP)
        else:
            lines[-1] += shown
    return [*lines, indent + ("/>" if opening.endswith("/>") else ">")]


def _attribute_lines(attribute: str, indent: str) -> list[str]:
    """An attribute; one that is too long is broken within its sentences."""
    lines = [indent + attribute]
    begin = 0
    while len(lines[-1]) > WIDTH and (found := SENTENCES.search(lines[-1], begin)):
        line, sentence = lines[-1], _found_sentence(found)
        if not sentence or not sentence.trimmed:
            begin = found.end()
            continue
        first, *rest = _sentence_lines(sentence, indent)
        lines[-1:] = [line[: found.start()] + first, *rest]
        begin = len(lines[-1])
        lines[-1] += line[found.end() :]
    return lines


def _sentence_lines(sentence: Sentence, indent: str) -> list[str]:
    if not sentence.trimmed:
        return [flat(sentence)]
    lines = [sentence.opening]
    for rank, form in enumerate(sentence.body.split(PLURAL)):
        lines += [indent + STEP + PLURAL] if rank else []
        lines += _wrapped(form.strip(" "), indent + STEP)
    return [*lines, f"{indent}{{% endblocktranslate %}}"]


def _leaf_lines(leaf: Leaf, indent: str) -> list[str]:
    if leaf.kind == "tag" and (sentence := sentence_in(leaf.text)):
        return _sentence_lines(sentence, indent)
    if leaf.kind == "comment":
        first, *rest = _wrapped(leaf.text[2:-2].strip(), f"{indent}{{# ")
        return [f"{line} #}}" for line in (first.removeprefix(indent), *rest)]
    if leaf.kind == "text" and (text := leaf.text.strip(" ")):
        before, after = leaf.text.partition(text)[0], leaf.text.rpartition(text)[2]
        first, *rest = _wrapped(text, indent)
        lines = [before + first.removeprefix(indent), *rest]
        lines[-1] += after
        return lines
    return [leaf.text]


def _wrapped(text: str, indent: str) -> list[str]:
    """The text broken at its spaces, but for those that do not break and those in tags."""
    whole = TAG.sub(lambda tag: tag.group().replace(" ", "\0"), text)
    lines: list[str] = []
    for word in whole.split(" "):
        if lines and len(indent) + len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [indent + line.replace("\0", " ") for line in lines]
