"""XML read as a stream, from senders one does not trust: no entities, no document type, no network."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from lxml import etree

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.unreadable import UnreadableFile

if TYPE_CHECKING:
    from lxml.etree import _Element

_LONGEST: Final = 200
_DECLARED: Final = re.compile(rb"<\?xml\s")
_DOCTYPE: Final = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*<!DOCTYPE", re.DOTALL)
_DOCUMENT_TYPE: Final = (
    "the XML declares a document type, which no format read here has",
    "Remove the <!DOCTYPE …> declaration.",
)
_AS_UTF8: Final = "Save the file as UTF-8, and let its first line say so."


def elements(content: Content, tags: Sequence[str]) -> "Iterator[_Element]":
    """Yield each element of those names when it is complete, then forget it.

    An element is empty once the next one comes: take what you need of it at once.
    Raises `UnreadableFile` with the line when the XML is truncated, malformed, declares a document type, or has none of
    those elements because its own are of another namespace.
    """
    with content.stream() as file:
        parser = etree.iterparse(
            file,
            events=("end",),
            tag=tags,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            remove_comments=True,
            remove_pis=True,
        )
        first = True
        try:
            for _, element in parser:
                if first:
                    _refuse_document_type(element)
                    first = False
                yield element
                _forget(element)
        except etree.XMLSyntaxError as error:
            raise _malformed(content, error) from None
        if first and parser.root is not None:
            _refuse_document_type(parser.root)
            _refuse_other_namespace(parser.root, tags)


def other_namespace(namespace: str, expected: str) -> UnreadableFile:
    """What to raise for elements that are called as they should be, in a namespace that is not theirs."""
    named, wanted = (
        f"the namespace « {name[:60]} »" if name else "no namespace" for name in (namespace, expected)
    )
    return UnreadableFile(
        f"the elements of the file are in {named}; those read here are in {wanted}",
        remedy="Ask the sender for a file of the published format.",
    )


def _refuse_document_type(element: "_Element") -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        raise UnreadableFile(_DOCUMENT_TYPE[0], remedy=_DOCUMENT_TYPE[1])


def _refuse_other_namespace(root: "_Element", tags: Sequence[str]) -> None:
    namespace = etree.QName(root).namespace or ""
    expected = [etree.QName(tag).namespace or "" for tag in tags]
    if namespace not in expected:
        raise other_namespace(namespace, expected[-1])


def _forget(element: "_Element") -> None:
    element.clear()
    before = element.getprevious()
    while before is not None and before.tag == element.tag:
        element.getparent().remove(before)  # type: ignore[union-attr]
        before = element.getprevious()


def _malformed(content: Content, error: etree.XMLSyntaxError) -> UnreadableFile:
    message, (line, column) = (error.msg or "").partition(", line ")[0], error.position
    last = getattr(error.error_log, "last_error", None)
    if line == 0 and last is not None:  # the parser gave up at the end; its log says where and why
        message, line, column = last.message, last.line, last.column
    message = " ".join(message.split())[:_LONGEST]
    said, remedy = _diagnosis(content, message)
    return UnreadableFile(
        f"{said} ({message or 'no element at all'})", remedy=remedy, where=f"line {line}, column {column}"
    )


def _diagnosis(content: Content, message: str) -> tuple[str, str]:
    """What is wrong with the file, and what mends it."""
    if _DOCTYPE.match(content.head):
        return _DOCUMENT_TYPE
    if "Unsupported encoding" in message:
        return "the encoding that the XML declares is none that is read", _AS_UTF8
    declared = _DECLARED.match(content.head)
    if "encoding" in message or "bytes" in message.lower() or (declared and "Blank needed here" in message):
        return (
            "the bytes are not of the encoding that the XML declares",
            "Save the file in the encoding of its first line, UTF-8 as a rule.",
        )
    if "declaration allowed only" in message and not declared:
        return "something stands before the XML declaration", "Let the file begin with « <?xml »."
    if "declaration allowed only" in message or "Extra content" in message:
        return (
            "more follows after the end of the XML",
            "Leave one XML document in the file and nothing after it.",
        )
    if "XML_PARSE_HUGE" in message or "amplification" in message:
        return "the XML is beyond what is read of one", "Ask the sender for a plain export."
    end = rf"</([\w.-]+:)?{re.escape(content.xml_root)}\s*>".encode()
    if re.search(end, content.tail) is None:
        return "the XML is truncated", "Fetch the file again and compare its size with the sender's."
    return (
        "the XML is malformed",
        "Fetch the file again; if it is the same, correct it there or ask for another.",
    )


def line_of(element: "_Element") -> int:
    """The line that the element begins on; 0 when the parser did not keep it."""
    line = element.sourceline
    return line if isinstance(line, int) else 0
