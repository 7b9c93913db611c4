from gridgate.portal.pages import MEMBERS, Page, seen

PAGES = (
    Page(
        "home",
        "/",
        get=MEMBERS,
        queries=19,
        states=(*seen("alice"), *seen("bob"), *seen("tiers1"), *seen("visiteur"), *seen("operateur")),
    ),
)
