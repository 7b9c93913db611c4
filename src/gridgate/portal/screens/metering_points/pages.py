from gridgate.portal.pages import DOWNLOAD, MEMBERS, SIGN_IN, Page, seen

PAGES = (
    Page(
        "metering_points",
        "/compteurs/",
        get=MEMBERS,
        queries=16,
        states=(
            *seen("alice", "", "?q=nulle+part", "?q=Lyon&collecte=active"),
            *seen("bob"),
            *seen("tiers1"),
            *seen("visiteur", status=403),
        ),
    ),
    Page(
        "metering_points_export",
        "/compteurs/export.csv",
        get=MEMBERS,
        post=MEMBERS,
        queries=6,
        unseen=DOWNLOAD,
    ),
    Page(
        "metering_point",
        "/compteurs/{p3}/",
        get=(SIGN_IN, 200, 404, 404, 200),
        queries=17,
        states=seen("alice", "/compteurs/30001480112233/", "/compteurs/30001480112266/"),
    ),
)
