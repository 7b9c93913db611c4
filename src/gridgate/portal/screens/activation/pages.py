from gridgate.portal.pages import EVERYONE, Page, led_to, seen

PAGES = (
    Page(
        "sign_up",
        "/inscription/",
        get=led_to("home", visitor=200),
        post=led_to("home", visitor="→ sign_up_sent"),
        form={"email": "eva@ailleurs.example", "full_name": "Eva", "language": "fr"},
        states=seen(None),
    ),
    Page(
        "sign_up_sent",
        "/inscription/envoyee/",
        get=EVERYONE,
        queries=4,
        states=seen(None),
    ),
    # Whoever holds the link; once it has served, for nobody.
    Page(
        "activation",
        "/activation/{activation}/",
        get=EVERYONE,
        post=("→ home", 410, 410, 410, 410),
        form={"new_password1": "une phrase assez longue", "new_password2": "une phrase assez longue"},
        queries=5,
        states=(*seen(None), *seen(None, "/activation/incomplet/", status=404), *seen("alice")),
    ),
    Page(
        "terms",
        "/conditions/",
        get=EVERYONE,
        queries=6,
        states=(*seen(None), *seen("alice")),
    ),
    # Whoever owes nothing goes on.
    Page(
        "terms_accept",
        "/conditions/accepter/",
        get=led_to("home"),
        post=led_to("home"),
        unseen="asks whoever has yet to accept. `test_activation.py` looks at it",
    ),
    Page(
        "terms_version",
        "/conditions/versions/1/",
        get=(404, 404, 404, 404, 404),
        states=seen(None),
    ),
)
