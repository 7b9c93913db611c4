from gridgate.portal.pages import MEMBERS, Page, seen

PAGES = (
    Page(
        "home",
        "/",
        get=MEMBERS,
        queries=24,  # four of them: which rights of the company end soon, or ended, and whose last day is near
        states=(*seen("alice"), *seen("bob"), *seen("tiers1"), *seen("visiteur"), *seen("operateur")),
    ),
)
