from gridgate.portal.pages import DATA_SERVICES, DOWNLOAD, SIGN_IN, Page, seen

PAGES = (
    Page(
        "sharing",
        "/partage/",
        get=DATA_SERVICES,
        queries=18,  # sums, their facets, and when each company last read, which is one search a facet, are asked apart
        states=(*seen("alice"), *seen("bob", status=403), *seen("tiers1")),
    ),
    Page(
        "sharing_export",
        "/partage/export.csv",
        get=DATA_SERVICES,
        queries=14,  # one of them: how many points those that are over covered
        unseen=DOWNLOAD,
    ),
    Page(
        "sharing_request",
        "/partage/demandes/{request}/",
        get=(SIGN_IN, 403, 404, 404, 200),
        post=(SIGN_IN, 403, 404, 404, "→ sharing"),
        form={"answer": "refuse"},
        queries=9,
        # What the third party says is in its own language.
        states=seen("alice", data=("Pour chiffrer une toiture solaire sur le site de Lyon Gerland.",)),
    ),
    Page(
        "sharing_revoke",
        "/partage/autorisations/{permission}/resilier/",
        get=(SIGN_IN, 403, 404, 404, 200),
        post=(SIGN_IN, 403, 404, 404, "→ receipt"),
        queries=13,
        states=seen("alice"),
    ),
    Page(
        "sharing_extend",
        "/partage/autorisations/{extendable}/prolonger/",
        get=(SIGN_IN, 403, 404, 404, 200),
        post=(SIGN_IN, 403, 404, 404, "→ sharing_company"),
        form={"until": "2028-06-30"},
        queries=11,
        states=seen("alice", "/partage/autorisations/{permission}/prolonger/"),
    ),
    Page(
        "permissions_received",
        "/partage/recues/",
        get=DATA_SERVICES,
        queries=8,
        states=(*seen("alice"), *seen("tiers1")),
    ),
    Page(
        "permission_terminate",
        "/partage/recues/{permission}/mettre-fin/",
        get=(SIGN_IN, 403, 404, 404, 200),
        post=(SIGN_IN, 403, 404, 404, "→ receipt"),
        form={"reason": "Le contrat est terminé"},
        allowed="tiers1",
        queries=7,
        states=seen("tiers1", "/partage/recues/{received}/mettre-fin/"),
    ),
    Page(
        "sharing_company",
        "/partage/{tiers1_siren}/",
        get=(SIGN_IN, 403, 404, 404, 200),
        queries=24,  # two of them: sums and their facets; one: whether all reads are counted
        states=seen("alice", "/partage/222333445/", "/partage/444555668/", "/partage/100000009/"),
    ),
    Page(
        "sharing_revoke_company",
        "/partage/{tiers1_siren}/resilier/",
        get=(SIGN_IN, 403, 404, 404, 200),
        post=(SIGN_IN, 403, 404, 404, "→ receipt"),
        queries=12,
        states=seen("alice", "/partage/222333445/resilier/", "/partage/100000009/resilier/"),
    ),
)
