from gridgate.portal.pages import ADMINISTRATORS, MEMBERS, SIGN_IN, Page, led_to, seen

PAGES = (
    Page(
        "join_company",
        "/rejoindre/",
        get=MEMBERS,
        post=led_to("join_company"),
        form={"company": "732829320"},
        queries=6,
        states=seen("alice"),
    ),
    Page(
        "company_join_requests",
        "/administration/invitations/demandes/",
        get=ADMINISTRATORS,
        queries=7,
        states=seen("alice"),
    ),
    Page(
        "company_join_request",
        "/administration/invitations/demandes/{join_request}/",
        get=(SIGN_IN, 403, 404, 403, 200),
        post=(SIGN_IN, 403, 404, 403, "→ company_join_requests"),
        form={"do": "refuse", "reason": "Inconnue ici"},
        queries=7,
        states=seen("alice"),
    ),
)
