from gridgate.portal.pages import ADMINISTRATORS, OPERATOR, SIGN_IN, Page, seen

PAGES = (
    Page(
        "operator_lost_factors",
        "/administration/seconds-facteurs/",
        get=OPERATOR,
        post=(SIGN_IN, 403, 403, 403, 422),
        form={"email": "personne@acme.example", "how": "in_person", "note": "Carte d’identité"},
        allowed="operateur",
        queries=7,
        states=seen("operateur"),
    ),
    Page(
        "company_lost_factors",
        "/administration/utilisateurs/seconds-facteurs/",
        get=ADMINISTRATORS,
        post=(SIGN_IN, 403, 404, 403, 404),
        queries=7,
        states=seen("alice"),
    ),
    # Whoever holds the link; this one leads nowhere.
    Page(
        "lost_factor_objection",
        "/opposition/incomplet/",
        get=(404, 404, 404, 404, 404),
        post=(404, 404, 404, 404, 404),
        states=seen(None, status=404),
    ),
)
