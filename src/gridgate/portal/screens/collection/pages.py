from gridgate.portal.pages import DATA_SERVICES, SIGN_IN, Page, seen

PAGES = (
    Page(
        "collection",
        "/collecte/",
        get=DATA_SERVICES,
        queries=9,
        states=(*seen("alice", "", "?q=nulle+part"), *seen("tiers1")),
    ),
    Page(
        "collection_summary",
        "/collecte/resume/",
        get=(SIGN_IN, 403, "→ collection", "→ collection", "→ collection"),
        post=(SIGN_IN, 403, 404, 404, 200),
        form={"action": "requested", "point": "{p3}"},
        unseen="answers a form; a GET goes back to the list. `test_journeys.py` looks at it",
    ),
    Page(
        "collection_point",
        "/collecte/{p3}/",
        get=(SIGN_IN, 403, 404, 404, 200),
        queries=9,
        states=seen("alice", "/collecte/30001480112233/"),
    ),
)
