from gridgate.portal.pages import DATA_SERVICES, DOWNLOAD, Page, seen

PAGES = (
    Page(
        "access_journal",
        "/journal/",
        get=DATA_SERVICES,
        queries=14,
        states=(*seen("alice", "", "?canal=nulle+part", "?lectures=vous"), *seen("tiers1")),
    ),
    Page(
        "access_journal_export",
        "/journal/export.csv",
        get=DATA_SERVICES,
        queries=5,
        unseen=DOWNLOAD,
    ),
)
