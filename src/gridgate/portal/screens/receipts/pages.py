from gridgate.portal.pages import DATA_SERVICES, DOWNLOAD, EVERYONE, SIGN_IN, Page, seen

PAGES = (
    Page(
        "receipts",
        "/partage/recus/",
        get=DATA_SERVICES,
        queries=8,
        states=(*seen("alice", "", "?q=nulle+part"), *seen("tiers1")),
    ),
    Page(
        "receipt_verify",
        "/partage/recus/verifier/",
        get=EVERYONE,
        post=EVERYONE,
        queries=5,
        states=(*seen(None), *seen("alice")),
    ),
    Page(
        "receipt_proof",
        "/partage/recus/{receipt}.jws",
        get=(SIGN_IN, 404, 404, 404, 200),
        queries=4,
        unseen=DOWNLOAD,
    ),
    Page(
        "receipt",
        "/partage/recus/{receipt}/",
        get=(SIGN_IN, 404, 404, 404, 200),
        queries=8,  # one of them: where the file of the log that it cites has lines
        states=seen("alice"),
    ),
    Page(
        "receipt_keys",
        "/.well-known/gridgate-receipts.json",
        get=EVERYONE,
        queries=3,
        unseen="JSON for programs",
    ),
)
