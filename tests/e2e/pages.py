"""Every page that a person can look at, and who looks at it. `test_page_list.py` holds it to the URL conf.

A page that stands on something made later (a receipt, a request, a link from an e-mail) names it between
braces; `conftest.py` finds it on the running instance.
"""

from dataclasses import dataclass

POINT, SOLAR, FLAWED = "30001480112233", "30001480112266", "30001480112244"


@dataclass(frozen=True, slots=True)
class Page:
    """One address in one state. `user` is a name of demo.json, None for nobody; `status` what it answers."""

    user: str | None
    name: str
    path: str
    status: int = 200


def _of(user: str | None, **paths: str | tuple[str, ...]) -> list[Page]:
    return [
        Page(user, name, path)
        for name, some in paths.items()
        for path in ((some,) if isinstance(some, str) else some)
    ]


PAGES = [
    *_of(
        None,
        sign_in="/connexion/",
        password_reset="/mot-de-passe/oublie/",
        password_reset_sent="/mot-de-passe/envoye/",
        password_reset_confirm=("{reset_link}", "/mot-de-passe/nouveau/MQ/perime/"),
        password_reset_done="/mot-de-passe/change/",
        accessibility="/accessibilite/",
        personal_data="/donnees-personnelles/",
        help="/aide/",
        receipt_verify="/partage/recus/verifier/",
        sign_up="/inscription/",
        sign_up_sent="/inscription/envoyee/",
        activation="/activation/{activation}/",
        terms="/conditions/",
        terms_version="/conditions/versions/1/",
    ),
    Page(None, "activation", "/activation/incomplet/", 404),
    *_of(
        "alice",
        company_directory="/administration/annuaire/",
        company_directory_revoke="/administration/annuaire/{directory_token}/revoquer/",
    ),
    *_of(
        "alice",
        activation="/activation/{activation}/",
        terms="/conditions/",
        home="/",
        account="/compte/",
        account_password="/compte/mot-de-passe/",
        account_security="/compte/securite/",
        switch_organisation="/compte/entreprise/",
        account_data="/compte/mes-donnees/",
        account_deletion="/compte/supprimer/",
        help="/aide/",
        metering_points=("/compteurs/", "/compteurs/?q=nulle+part", "/compteurs/?q=Lyon&collecte=active"),
        metering_point=(f"/compteurs/{POINT}/", f"/compteurs/{SOLAR}/"),
        measurements_point=(
            f"/mesures/{POINT}/",
            f"/mesures/{POINT}/?vue=jour",
            f"/mesures/{POINT}/?vue=mois",
            f"/mesures/{POINT}/?vue=annee",
            f"/mesures/{POINT}/?grandeur=energie&vue=mois",
            f"/mesures/{POINT}/?grandeur=maximum&vue=mois",
            f"/mesures/{POINT}/?grandeur=index",
            f"/mesures/{POINT}/?le=2019-01-01",
            f"/mesures/{POINT}/?du=2026-02-30&au=x",
            f"/mesures/{SOLAR}/?sens=injection&vue=mois",
            f"/mesures/{FLAWED}/?vue=mois",
        ),
        measurements_values=(f"/mesures/{POINT}/valeurs/", f"/mesures/{POINT}/valeurs/?le=2019-01-01"),
        services=("/services/", "/services/?q=nulle+part"),
        service=("/services/tiers2-prevision-solaire/", "/services/tiers1-suivi/"),
        service_subscribe="/services/tiers2-prevision-solaire/souscrire/",
        collection=("/collecte/", "/collecte/?q=nulle+part"),
        collection_point=f"/collecte/{POINT}/",
        sharing="/partage/",
        sharing_company=("/partage/222333445/", "/partage/444555668/", "/partage/100000009/"),
        sharing_revoke_company=("/partage/222333445/resilier/", "/partage/100000009/resilier/"),
        sharing_revoke="/partage/autorisations/{permission}/resilier/",
        sharing_request="/partage/demandes/{request}/",
        permissions_received="/partage/recues/",
        receipts=("/partage/recus/", "/partage/recus/?q=nulle+part"),
        receipt="/partage/recus/{receipt}/",
        receipt_verify="/partage/recus/verifier/",
        access_journal=("/journal/", "/journal/?q=nulle+part"),
        eic_requests="/eic/",
        eic_register=(
            "/eic/registre/",
            "/eic/registre/?q=nulle+part",
            "/eic/registre/?q=17X100A157F0022N&type=X",
        ),
        eic_request_new=("/eic/nouvelle/", "/eic/nouvelle/?nom=ACME", "/eic/nouvelle/?nom=Boreal"),
        eic_request="/eic/{eic_submitted}/",
        eic_request_withdraw="/eic/{eic_submitted}/retirer/",
    ),
    *_of(
        "alice",
        company_users=("/administration/utilisateurs/", "/administration/utilisateurs/?q=nulle+part"),
        company_user="/administration/utilisateurs/{member}/",
        company_user_detach="/administration/utilisateurs/{member}/detacher/",
        company_invite="/administration/inviter/",
        company_invitations=("/administration/invitations/", "/administration/invitations/?q=nulle+part"),
        company_groups=("/administration/groupes/", "/administration/groupes/?q=nulle+part"),
        company_group_new="/administration/groupes/nouveau/",
        company_group="/administration/groupes/{group}/",
        company_group_rename="/administration/groupes/{group}/renommer/",
        company_group_members="/administration/groupes/{group}/membres/",
        company_group_programs="/administration/groupes/{group}/programmes/",
        company_group_delete="/administration/groupes/{group}/supprimer/",
        company_perimeter=(
            "/administration/groupes/{group}/perimetre/measurements/",
            "/administration/groupes/{group}/perimetre/contracts/",
        ),
        company_services=("/administration/services/", "/administration/services/?q=nulle+part"),
        company_explain=(
            "/administration/verifier/",
            "/administration/verifier/?qui=bob",
            f"/administration/verifier/?qui=bob&point={POINT}",
            "/administration/verifier/?qui=nulle+part",
        ),
        company_history=(
            "/administration/historique/",
            "/administration/historique/?du=2019-01-01&au=2019-01-02",
        ),
    ),
    Page("alice", "", "/nulle-part/", 404),
    Page("alice", "", "/langue/", 405),
    *_of(
        "charlie",
        eic_requests="/eic/",
        eic_request="/eic/{eic_returned}/",
        eic_request_type="/eic/{eic_returned}/type/",
        eic_request_edit="/eic/{eic_returned}/modifier/",
    ),
    *_of(
        "alice",
        kyc="/questionnaire/",
        kyc_questionnaire="/questionnaire/{kyc_accepted}/",
    ),
    *_of(
        "charlie",
        kyc="/questionnaire/",
        kyc_questionnaire="/questionnaire/{kyc_begun}/",
        kyc_section=(
            *(f"/questionnaire/{{kyc_begun}}/{number}/" for number in range(1, 9)),
            "/questionnaire/{kyc_begun}/2/?tout=1",
        ),
        kyc_withdraw="/questionnaire/{kyc_begun}/retirer/",
    ),
    Page("bob", "kyc", "/questionnaire/", 403),
    Page("bob", "eic_requests", "/eic/"),
    Page("bob", "eic_request_new", "/eic/nouvelle/", 403),
    *_of("bob", home="/", metering_points="/compteurs/", account_deletion="/compte/supprimer/"),
    Page("bob", "sharing", "/partage/", 403),
    *_of(
        "tiers1",
        home="/",
        metering_points="/compteurs/",
        measurements="/mesures/",
        services="/services/",
        collection="/collecte/",
        sharing="/partage/",
        permissions_received="/partage/recues/",
        permission_terminate="/partage/recues/{received}/mettre-fin/",
        receipts="/partage/recus/",
        access_journal="/journal/",
    ),
    *_of(
        "visiteur",
        home="/",
        account="/compte/",
        account_data="/compte/mes-donnees/",
        account_deletion="/compte/supprimer/",
        eic_requests="/eic/",
        eic_request_new="/eic/nouvelle/",
        kyc="/questionnaire/",
    ),
    Page("visiteur", "metering_points", "/compteurs/", 403),
    *_of(
        "operateur",
        home="/",
        operator_home="/administration/",
        operator_requests=("/administration/demandes/", "/administration/demandes/?q=nulle+part"),
        operator_request=(
            "/administration/demandes/{eic_submitted}/",
            "/administration/demandes/{eic_returned}/",
        ),
        operator_companies=("/administration/entreprises/", "/administration/entreprises/?q=nulle+part"),
        operator_company_new="/administration/entreprises/nouvelle/",
        operator_company=("/administration/entreprises/111222337/", "/administration/entreprises/333444552/"),
        operator_company_edit="/administration/entreprises/111222337/modifier/",
        operator_company_points="/administration/entreprises/111222337/points/",
        operator_company_history="/administration/entreprises/111222337/historique/",
        operator_contract_new="/administration/entreprises/111222337/contrats/nouveau/",
        operator_contract="/administration/entreprises/111222337/contrats/1/",
        operator_first_administrator=(
            "/administration/entreprises/111222337/premier-administrateur/",
            "/administration/entreprises/222222226/premier-administrateur/",
            "/administration/entreprises/333444552/premier-administrateur/",
        ),
        operator_points=("/administration/points/", "/administration/points/?q=nulle+part"),
        operator_point=f"/administration/points/{POINT}/",
        operator_holding_new=f"/administration/points/{POINT}/titulaire/",
        operator_holding_end=f"/administration/points/{POINT}/titres/1/fin/",
        operator_services=(
            "/administration/services-de-donnees/",
            "/administration/services-de-donnees/?q=nulle+part",
        ),
        operator_service=(
            "/administration/services-de-donnees/tiers1-suivi/",
            "/administration/services-de-donnees/releve-et-facturation/",
        ),
        operator_policy="/administration/securite/",
        operator_terms_new="/administration/securite/conditions/",
        operator_import="/administration/import/",
        operator_import_report="/administration/import/{import}/",
        components="/composants/",
        operator_eic=("/administration/eic/", "/administration/eic/?q=nulle+part"),
        operator_eic_add="/administration/eic/ajouter/",
        operator_eic_code=(
            "/administration/eic/17XACME-IND----T/",
            "/administration/eic/17T-FR-00000046X/",
        ),
        operator_kyc_forms="/administration/questionnaire/",
        operator_kyc_form="/administration/questionnaire/versions/1/",
    ),
]

NOT_PAGES = {
    "kyc_start": "a form's address: POST only",
    "kyc_submit": "a form's address: POST only",
    "kyc_attachment": "a download",
    "operator_kyc_publish": "a form's address: POST only",
    "operator_kyc_form_file": "a download",
    "external_sign_in": "leads to the provider; `test_external_sign_in.py` looks at it",
    "external_sign_in_return": "comes from the provider; `test_external_sign_in.py` looks at it",
    "external_sign_up": "asks for a provider; `test_external_sign_in.py` looks at it",
    "external_sign_in_refused": "asks for a provider; `test_external_sign_in.py` looks at it",
    **dict.fromkeys(
        [
            "scim_config",
            "scim_resource_types",
            "scim_resource_type",
            "scim_schemas",
            "scim_schema",
            "scim_users",
            "scim_users_search",
            "scim_user",
            "scim_groups",
            "scim_groups_search",
            "scim_group",
            "scim_search",
            "scim_me",
            "scim_bulk",
            "scim_root",
            "scim_nowhere",
        ],
        "JSON for companies' directories",
    ),
    "sign_in_code": "after a password; `test_strong_authentication.py` looks at it",
    "sign_in_key": "JSON for the sign-in page's script",
    "step_up": "before an act; `test_strong_authentication.py` looks at it",
    "account_totp": "asks a proof first; `test_strong_authentication.py` looks at it",
    "account_codes": "asks a proof first; `test_strong_authentication.py` looks at it",
    "account_key_add": "asks a proof first; `test_strong_authentication.py` looks at it",
    "account_key": "asks a proof first; `test_strong_authentication.py` looks at it",
    "account_external": "asks a proof first; `test_external_sign_in.py` looks at it",
    "account_sessions": "a form's address: POST only",
    "account_notices": "a form's address: POST only",
    "terms_accept": "asks whoever has yet to accept. `test_activation.py` looks at it",
    "sign_out": "a form's address: POST only",
    "favourites": "a form's address: POST only",
    "language": "a form's address: POST only",
    "operator_collections": "a form's address: POST only",
    "collection_summary": "answers a form; a GET goes back to the list. `test_journeys.py` looks at it",
    "brand_css": "a style sheet",
    "receipt_keys": "JSON for programs",
    "receipt_proof": "a download",
    "metering_points_export": "a download",
    "measurements_export": "a download",
    "measurements_series": "JSON for the chart's script",
    "company_invitation_renew": "a form's address: POST only",
    "company_invitation_cancel": "a form's address: POST only",
    "company_history_export": "a download",
    "sharing_export": "a download",
    "access_journal_export": "a download",
    "operator_requests_take": "a form's address: POST only",
    "operator_requests_export": "a download",
    "operator_declaration": "a form's address: POST only",
    "operator_import_sample": "a download",
    "operator_import_export": "a download",
    "eic_request_submit": "a form's address: POST only",
    "eic_register_export": "a download",
    "operator_eic_export": "a download",
}
"""URLs that are not looked at, and why."""

DATA = (
    "Pour chiffrer une toiture solaire sur le site de Lyon Gerland.",
    "Pour chiffrer une toiture solaire",
)
"""Texts of the demo world that are data, in French on every page."""
