from gridgate.portal.pages import MEMBERS, Page, seen

PAGES = (
    Page(
        "home",
        "/",
        get=MEMBERS,
        queries=22,  # three of them: which rights of the company end soon, or ended
        states=(*seen("alice"), *seen("bob"), *seen("tiers1"), *seen("visiteur"), *seen("operateur")),
    ),
)
