from gridgate.portal.pages import EVERYONE, Page, led_to, seen

PAGES = (
    Page(
        "accessibility",
        "/accessibilite/",
        get=EVERYONE,
        queries=5,
        states=seen(None),
    ),
    Page(
        "personal_data",
        "/donnees-personnelles/",
        get=EVERYONE,
        queries=5,
        states=seen(None),
    ),
    Page(
        "help",
        "/aide/",
        get=EVERYONE,
        queries=5,
        states=(*seen(None), *seen("alice")),
    ),
    Page(
        "language",
        "/langue/",
        get=(405, 405, 405, 405, 405),
        post=led_to("home", visitor="→ home"),
        form={"language": "en", "next": "/"},
        states=seen("alice", status=405),
    ),
    Page(
        "brand_css",
        "/marque.css",
        get=(404, 404, 404, 404, 404),
        unseen="a style sheet",
    ),
    Page(
        "components",
        "/composants/",
        get=(404, 404, 404, 404, 200),
        allowed="operateur",
        queries=5,
        states=seen("operateur"),
    ),
)
