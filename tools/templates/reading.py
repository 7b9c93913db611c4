"""What a template is made of: a tree of elements, of tags with an end, of sentences, and of what stands between."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}")
ELEMENT = re.compile(r"<(/?)([A-Za-z][\w-]*)")
TRANSLATED = re.compile(r"(\{% blocktranslate\b.*?%\})(.*?)\{% endblocktranslate %\}", re.DOTALL)
TRANSLATE = re.compile(r"""\{% translate (?:"([^"]*)"|'([^']*)')( as \w+)? %\}""")
PLURAL = "{% plural %}"

VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
RAW = frozenset(("pre", "script", "style", "textarea"))
"""Elements in which every sign counts."""
MIDDLES = frozenset(("{% else %}", "{% empty %}"))


@dataclass(slots=True)
class Leaf:
    """Text, a value, a comment, a tag without an end, or the end of an element that began elsewhere."""

    text: str
    kind: str


@dataclass(slots=True)
class Sentence:
    """`{% blocktranslate %}` up to its end."""

    opening: str
    body: str

    @property
    def trimmed(self) -> bool:
        return " trimmed" in self.opening


@dataclass(slots=True)
class Element:
    """An element, or a tag with an end. Each opening is followed by its branch: `{% if %}` has one more for each
    `{% elif %}` and `{% else %}`.
    """

    name: str
    openings: list[str]
    branches: list[list["Node"]]
    closing: str = ""
    is_tag: bool = False
    attributes: list[str] = field(default_factory=list)

    @property
    def inside(self) -> "list[Node]":
        return [node for branch in self.branches for node in branch]


Node = Leaf | Sentence | Element


def flat(*nodes: Node) -> str:
    """The nodes on one line."""
    return "".join(_flat(node) for node in nodes)


def _flat(node: Node) -> str:
    if isinstance(node, Leaf):
        return node.text
    if isinstance(node, Sentence):
        return f"{node.opening}{node.body}{{% endblocktranslate %}}"
    branches = zip(node.openings, node.branches, strict=True)
    return "".join(opening + flat(*branch) for opening, branch in branches) + node.closing


def name_of(tag: str) -> str:
    """The name of a `{% … %}`; nothing for what is none."""
    return tag[2:-2].split()[0] if tag.startswith("{%") else ""


# --- Sentences ---------------------------------------------------------------------------------------------------


def sentence_of(opening: str, body: str) -> Sentence:
    """The sentence on one line, as Django trims it; one that may be trimmed without another message is."""
    if " trimmed" in opening:
        return Sentence(opening, re.sub(r"\s*\n\s*", " ", body.strip()))
    if "\n" not in body and all(part == part.strip() for part in body.split(PLURAL)):
        return Sentence(opening.replace("{% blocktranslate", "{% blocktranslate trimmed", 1), body)
    return Sentence(opening, body)


def sentence_in(tag: str) -> Sentence | None:
    """`{% translate "…" %}` as the tag that may be broken, with the same message."""
    found = TRANSLATE.fullmatch(tag)
    if not found:
        return None
    text, name = found[1] or found[2] or "", found[3]
    if not text or text != text.strip() or "{" in text or "\\" in text:
        return None
    kept = f" asvar {name.split()[1]}" if name else ""
    return Sentence(f"{{% blocktranslate trimmed{kept} %}}", text)


# --- Attributes --------------------------------------------------------------------------------------------------


def attributes_of(inside: str) -> list[str]:
    """What follows an element's name, cut into attributes, each with the space before it; one that depends on a
    condition has its space within: `{% if x %} hidden{% endif %}`.
    """
    found: list[str] = []
    at, begin, depth, quote = 0, 0, 0, ""
    while at < len(inside):
        tag = TAG.match(inside, at)
        if tag and not quote:
            name = name_of(tag.group())
            if name == "if" and not depth and inside[begin:at] not in ("", " "):
                found.append(inside[begin:at])
                begin = at
            depth += (name == "if") - (name == "endif")
            if name == "endif" and not depth:
                found.append(inside[begin : tag.end()])
                begin = tag.end()
        elif not tag:
            sign = inside[at]
            if sign == " " and not quote and not depth and begin < at:
                found.append(inside[begin:at])
                begin = at
            if sign in "\"'" and quote in ("", sign):
                quote = "" if quote else sign
        at = tag.end() if tag else at + 1
    found.append(inside[begin:])
    return [_with_its_space_within(one) for one in found if one not in ("", " ")]


def _with_its_space_within(attribute: str) -> str:
    condition = attribute.removeprefix(" ")
    return with_space(condition, " ") if condition != attribute and is_condition(condition) else attribute


def is_condition(attribute: str) -> bool:
    """Whether it is a condition on whole attributes, and on nothing less."""
    if not (attribute.startswith("{% if ") and attribute.endswith("{% endif %}")):
        return False
    said = (attribute[begin:end] for begin, end in _branches_of(attribute))
    return all(not text or re.match(r" ?[a-z]", text) for text in said)


def with_space(condition: str, space: str) -> str:
    """The condition with this before what each of its branches says."""
    for begin, end in reversed(_branches_of(condition)):
        if said := condition[begin:end].removeprefix(" "):
            condition = condition[:begin] + space + said + condition[end:]
    return condition


def _branches_of(condition: str) -> list[tuple[int, int]]:
    """Where each branch begins and ends; conditions within are part of theirs."""
    depth, begin = 0, 0
    branches = []
    for tag in TAG.finditer(condition):
        name = name_of(tag.group())
        if depth == 1 and name in ("elif", "else", "endif"):
            branches.append((begin, tag.start()))
            begin = tag.end()
        if name == "if":
            begin = begin if depth else tag.end()
        depth += (name == "if") - (name == "endif")
    return branches


# --- The tree ----------------------------------------------------------------------------------------------------


def tree_of(source: str) -> list[Node]:
    """The tree of a page on one line. Of an element that begins in one branch and ends in another, each has its part."""
    tree = _Tree(source)
    for kind, text in _pieces(source):
        tree.add(kind, text)
    return tree.whole()


class _Tree:
    def __init__(self, source: str) -> None:
        self.source = source
        self.open = [Element("", [""], [[]], is_tag=True)]

    def add(self, kind: str, text: str) -> None:
        if kind == "tag":
            self._tag(text)
        elif kind == "element":
            self._element(text)
        elif kind == "end":
            self._end(text)
        elif kind == "sentence":
            opening, body = TRANSLATED.fullmatch(text).groups()  # type: ignore[union-attr]
            self._put(sentence_of(opening, body))
        else:
            self._put(Leaf(text, kind))

    def whole(self) -> list[Node]:
        self._leave_open_elements()
        if len(self.open) > 1:
            raise ValueError(f"{self.open[-1].openings[0]} has no end")
        return self.open[0].branches[0]

    def _put(self, node: Node) -> None:
        self.open[-1].branches[-1].append(node)

    def _tag(self, text: str) -> None:
        name = name_of(text)
        around = next(one for one in reversed(self.open) if one.is_tag)
        if around.name and name == f"end{around.name}":
            self._leave_open_elements()
            self.open.pop().closing = text
        elif text in MIDDLES or name == "elif":
            self._leave_open_elements()
            around.openings.append(text)
            around.branches.append([])
        elif f"{{% end{name} " in self.source:
            opened = Element(name, [text], [[]], is_tag=True)
            self._put(opened)
            self.open.append(opened)
        else:
            self._put(Leaf(text, "tag"))

    def _element(self, text: str) -> None:
        name = ELEMENT.match(text)[2]  # type: ignore[index]
        opening_ends = _end_of_element(text, 0)
        slash = "/" if text[:opening_ends].endswith("/>") else ""
        attributes = attributes_of(text[1 + len(name) : opening_ends - 1 - len(slash)])
        element = Element(name, [f"<{name}{''.join(attributes)}{slash}>"], [[]], attributes=attributes)
        if name in RAW:
            content = text[opening_ends : text.rindex("</")]
            element.branches = [[Leaf(content, "raw")] if content else []]
            element.closing = text[text.rindex("</") :]
        self._put(element)
        if not slash and name not in VOID | RAW:
            self.open.append(element)

    def _end(self, text: str) -> None:
        name = ELEMENT.match(text)[2]  # type: ignore[index]
        depth = next(
            at for at in reversed(range(len(self.open))) if self.open[at].is_tag or self.open[at].name == name
        )
        if self.open[depth].is_tag:
            self._put(Leaf(text, "end"))
            return
        while len(self.open) > depth + 1:
            self._leave_open()
        self.open.pop().closing = text

    def _leave_open_elements(self) -> None:
        while not self.open[-1].is_tag:
            self._leave_open()

    def _leave_open(self) -> None:
        """The innermost element does not end where it began: what is in it stands beside it."""
        left = self.open.pop()
        siblings = self.open[-1].branches[-1]
        siblings += left.branches[0]
        left.branches[0] = []


_KINDS = {"{%": "tag", "{{": "value", "{#": "comment"}


def _pieces(source: str) -> Iterator[tuple[str, str]]:
    """Text, values, tags, sentences and elements, in order."""
    begin = at = 0
    while at < len(source):
        kind, end = _piece_at(source, at)
        if kind:
            if begin < at:
                yield "text", source[begin:at]
            yield kind, source[at:end]
            begin = end
        at = end
    if begin < at:
        yield "text", source[begin:at]


def _piece_at(source: str, at: int) -> tuple[str, int]:
    """What begins there, if it is not text, and where it ends."""
    if source[at] not in "{<":
        return "", at + 1
    if source.startswith("{% blocktranslate", at) and (sentence := TRANSLATED.match(source, at)):
        return "sentence", sentence.end()
    if tag := TAG.match(source, at):
        return _KINDS[tag.group()[:2]], tag.end()
    if element := ELEMENT.match(source, at):
        end = _end_of_element(source, at)
        if element[2] in RAW and not element[1]:
            end = source.index(">", source.index(f"</{element[2]}", end)) + 1
        return "end" if element[1] else "element", end
    if source.startswith("<!", at):
        return "raw", source.index(">", at) + 1
    return "", at + 1


def _end_of_element(source: str, at: int) -> int:
    """Where the element's tag that begins there ends; signs in quotes and in tags do not count."""
    quote = ""
    while True:
        if tag := TAG.match(source, at):
            at = tag.end()
            continue
        sign = source[at]
        at += 1
        if sign in "\"'" and quote in ("", sign):
            quote = "" if quote else sign
        elif sign == ">" and not quote:
            return at
