from gridgate.portal.pages import DOWNLOAD, FORM_ADDRESS, FORMS_ONLY, OPERATOR, SIGN_IN, Page, seen

PAGES = (
    # A company's administrators, and whoever manages its users, are led to those.
    Page(
        "operator_home",
        "/administration/",
        get=(SIGN_IN, 403, "→ company_users", 403, 200),
        allowed="operateur",
        queries=10,
        states=seen("operateur"),
    ),
    Page(
        "operator_collections",
        "/administration/collectes/",
        get=FORMS_ONLY,
        post=(SIGN_IN, 403, 403, 403, "→ operator_home"),
        allowed="operateur",
        unseen=FORM_ADDRESS,
    ),
    Page(
        "operator_import",
        "/administration/import/",
        get=OPERATOR,
        post=OPERATOR,
        allowed="operateur",
        queries=7,
        states=seen("operateur"),
    ),
    Page(
        "operator_import_sample",
        "/administration/import/modele-points.csv",
        get=OPERATOR,
        allowed="operateur",
        queries=3,
        unseen=DOWNLOAD,
    ),
    Page(
        "operator_import_report",
        "/administration/import/{import}/",
        get=OPERATOR,
        post=(SIGN_IN, 403, 403, 403, "→ operator_import"),
        form={"decision": "discard"},
        allowed="operateur",
        queries=6,
        states=seen("operateur"),
    ),
    Page(
        "operator_import_export",
        "/administration/import/{import}/rapport.csv",
        get=OPERATOR,
        allowed="operateur",
        queries=4,
        unseen=DOWNLOAD,
    ),
)
