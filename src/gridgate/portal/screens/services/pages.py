from gridgate.portal.pages import DATA_SERVICES, SIGN_IN, Page, seen

PAGES = (
    Page(
        "services",
        "/services/",
        get=DATA_SERVICES,
        queries=13,
        states=(*seen("alice", "", "?q=nulle+part"), *seen("tiers1")),
    ),
    # A service that is not in the catalogue: only who has it sees it.
    Page(
        "service",
        "/services/{service}/",
        get=(SIGN_IN, 403, 404, 404, 200),
        queries=12,
        states=seen("alice", "/services/tiers2-prevision-solaire/", "/services/tiers1-suivi/"),
    ),
    # One of the catalogue: everyone may subscribe, each for their own points.
    Page(
        "service_subscribe",
        "/services/{offered}/souscrire/",
        get=DATA_SERVICES,
        # What would be given is said first; `test_data_services.py` gives it.
        post=(SIGN_IN, 403, 422, 422, 200),
        form={"do": "subscribe", "scope": "some", "point": "{p3}"},
        queries=14,
        states=seen("alice", "/services/tiers2-prevision-solaire/souscrire/"),
    ),
)
