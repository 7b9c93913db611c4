from gridgate.portal.pages import DOWNLOAD, FORM_ADDRESS, FORMS_ONLY, MEMBERS, SIGN_IN, Page, led_to, seen

_POINT, _SOLAR, _FLAWED = (
    f"/mesures/{point}/" for point in ("30001480112233", "30001480112266", "30001480112244")
)

# One of the queries of each page is for the company's own times on the point: they bound what is shown.
PAGES = (
    Page(
        "measurements",
        "/mesures/",
        get=led_to("measurements_point"),
        states=seen("tiers1"),
    ),
    Page(
        "measurements_several",
        "/mesures/ensemble/",
        get=MEMBERS,
        queries=7,
        states=seen(
            "alice",
            "",
            "?tous=1",
            "?tous=1&montrer=comparer",
            "?tous=1&montrer=sites&vue=annee",
            "?tous=1&grandeur=puissance&vue=semaine",
            "?tous=1&grandeur=puissance&vue=annee",
            "?tous=1&le=2019-01-01",
            "?compteur=30001480112233&compteur=99999999999999&q=bureaux",
            "?" + "&".join(f"compteur={number}" for number in range(51)),
        )
        + seen("tiers1"),
    ),
    Page(
        "measurements_several_export",
        "/mesures/ensemble/export",
        get=(SIGN_IN, 404, 404, 404, 404),  # of no meter there is no file
        unseen=DOWNLOAD,
    ),
    Page(
        "prepared_files",
        "/mesures/fichiers/",
        get=MEMBERS,
        post=(SIGN_IN, 404, 404, 404, 404),  # of no meter there is no file
        queries=6,
        states=seen("alice") + seen("tiers1"),
    ),
    Page(
        "prepared_file",
        "/mesures/fichiers/{prepared_file}",
        get=(SIGN_IN, 404, 404, 404, 200),
        queries=5,
        unseen=DOWNLOAD,
    ),
    Page(
        "prepared_file_remove",
        "/mesures/fichiers/{prepared_file}/supprimer",
        get=FORMS_ONLY,
        post=(SIGN_IN, 404, 404, 404, "→ prepared_files"),
        unseen=FORM_ADDRESS,
    ),
    Page(
        "measurements_point",
        "/mesures/{p3}/",
        get=(SIGN_IN, 200, 404, 404, 200),
        queries=8,
        states=seen(
            "alice",
            _POINT,
            f"{_POINT}?vue=jour",
            f"{_POINT}?vue=mois",
            f"{_POINT}?vue=annee",
            f"{_POINT}?grandeur=energie&vue=mois",
            f"{_POINT}?grandeur=maximum&vue=mois",
            f"{_POINT}?grandeur=index",
            f"{_POINT}?le=2019-01-01",
            f"{_POINT}?du=2026-02-30&au=x",
            f"{_SOLAR}?sens=injection&vue=mois",
            f"{_FLAWED}?vue=mois",
        ),
    ),
    Page(
        "measurements_values",
        "/mesures/{p3}/valeurs/",
        get=(SIGN_IN, 200, 404, 404, 200),
        queries=7,
        states=seen("alice", f"{_POINT}valeurs/", f"{_POINT}valeurs/?le=2019-01-01"),
    ),
    Page(
        "measurements_export",
        "/mesures/{p3}/export.csv",
        get=(SIGN_IN, 200, 404, 404, 200),
        queries=5,
        unseen=DOWNLOAD,
    ),
    Page(
        "measurements_series",
        "/mesures/{p3}/serie.json",
        get=(SIGN_IN, 200, 404, 404, 200),
        queries=5,
        unseen="JSON for the chart's script",
    ),
)
