from gridgate.portal.pages import Page, seen

PAGES = (
    # An address that no page has.
    Page(
        "",
        "/nulle-part/",
        get=(404, 404, 404, 404, 404),
        post=(404, 404, 404, 404, 404),
        states=seen("alice", status=404),
    ),
)
