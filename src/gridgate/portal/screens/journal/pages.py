from gridgate.portal.pages import DATA_SERVICES, DOWNLOAD, Page, seen

PAGES = (
    Page(
        "access_journal",
        "/journal/",
        get=DATA_SERVICES,
        queries=15,  # whether all is counted, which days, which facets, where in the segments, and what these are called
        states=(*seen("alice", "", "?canal=nulle+part", "?lectures=vous"), *seen("tiers1")),
    ),
    Page(
        "access_journal_export",
        "/journal/export.csv",
        get=DATA_SERVICES,
        queries=8,
        unseen=DOWNLOAD,
    ),
)
