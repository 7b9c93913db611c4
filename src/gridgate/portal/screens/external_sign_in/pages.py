from gridgate.portal.pages import Page

PAGES = (
    Page(
        "external_sign_in",
        "/connexion/externe/",
        get=(404, 404, 404, 404, 404),
        unseen="leads to the provider; `test_external_sign_in.py` looks at it",
    ),
    Page(
        "external_sign_in_return",
        "/connexion/externe/retour/",
        get=(404, 404, 404, 404, 404),
        unseen="comes from the provider; `test_external_sign_in.py` looks at it",
    ),
    Page(
        "external_sign_up",
        "/connexion/externe/compte/",
        get=(404, 404, 404, 404, 404),
        post=(404, 404, 404, 404, 404),
        unseen="asks for a provider; `test_external_sign_in.py` looks at it",
    ),
    Page(
        "external_sign_in_refused",
        "/connexion/externe/refus/echec/",
        get=(404, 404, 404, 404, 404),
        unseen="asks for a provider; `test_external_sign_in.py` looks at it",
    ),
)
