from gridgate.portal.pages import DATA_SERVICES, DOWNLOAD, Page, seen

PAGES = (
    Page(
        "access_journal",
        "/journal/",
        get=DATA_SERVICES,
        queries=13,
        states=(*seen("alice", "", "?q=nulle+part"), *seen("tiers1")),
    ),
    Page(
        "access_journal_export",
        "/journal/export.csv",
        get=DATA_SERVICES,
        queries=4,
        unseen=DOWNLOAD,
    ),
)
