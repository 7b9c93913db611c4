"""XML read as a stream, from senders one does not trust: no entities, no document type, no network."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lxml import etree

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import UnreadableFile

if TYPE_CHECKING:
    from lxml.etree import _Element


def elements(content: Content, tags: Sequence[str]) -> "Iterator[_Element]":
    """Yield each element of those names when it is complete, then forget it.

    An element is empty once the next one comes: take what you need of it at once.
    Raises `UnreadableFile` with the line when the XML is truncated, malformed, or declares a document type.
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


def _refuse_document_type(element: "_Element") -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        raise UnreadableFile(
            "the XML declares a document type, which no format read here has",
            remedy="Remove the <!DOCTYPE …> declaration.",
        )


def _forget(element: "_Element") -> None:
    element.clear()
    before = element.getprevious()
    while before is not None and before.tag == element.tag:
        element.getparent().remove(before)  # type: ignore[union-attr]
        before = element.getprevious()


def _malformed(content: Content, error: etree.XMLSyntaxError) -> UnreadableFile:
    line, column = error.position
    message = (error.msg or "").partition(", line ")[0]
    if "encoding" in message or "bytes" in message.lower():
        return UnreadableFile(
            f"the bytes are not of the encoding that the XML declares ({message})",
            remedy="Save the file in the encoding of its first line, UTF-8 as a rule.",
            where=f"line {line}, column {column}",
        )
    end = rf"</([\w.-]+:)?{re.escape(content.xml_root)}\s*>".encode()
    truncated = re.search(end, content.tail) is None
    return UnreadableFile(
        f"the XML is {'truncated' if truncated else 'malformed'} ({message or 'no element at all'})",
        remedy="Fetch the file again and compare its size with the sender's.",
        where=f"line {line}, column {column}",
    )


def line_of(element: "_Element") -> int:
    """The line that the element begins on; 0 when the parser did not keep it."""
    line = element.sourceline
    return line if isinstance(line, int) else 0
