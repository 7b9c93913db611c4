from gridgate.portal.pages import FORM_ADDRESS, FORMS_ONLY, MEMBERS, Page, led_to, seen

PAGES = (
    # Without a password just given, there is nothing to add a code to.
    Page(
        "sign_in_code",
        "/connexion/code/",
        get=led_to("home", visitor="→ sign_in"),
        post=led_to("home", visitor="→ sign_in"),
        form={"code": "123456"},
        unseen="after a password; `test_strong_authentication.py` looks at it",
    ),
    Page(
        "sign_in_key",
        "/connexion/cle/",
        get=led_to("home", visitor=200),
        post=led_to("home", visitor="→ sign_in"),
        form={"credential": "{{}}"},
        unseen="JSON for the sign-in page's script",
    ),
    # Nothing waits for a proof.
    Page(
        "step_up",
        "/confirmation/",
        get=led_to("home"),
        post=led_to("home"),
        unseen="before an act; `test_strong_authentication.py` looks at it",
    ),
    Page(
        "account_security",
        "/compte/securite/",
        get=MEMBERS,
        queries=11,
        states=seen("alice"),
    ),
    Page(
        "account_sessions",
        "/compte/securite/sessions/",
        get=FORMS_ONLY,
        post=led_to("account_security"),
        form={"session": "0"},
        unseen=FORM_ADDRESS,
    ),
    Page(
        "account_notices",
        "/compte/securite/avis/",
        get=FORMS_ONLY,
        post=led_to("account_security"),
        form={"tell": "yes"},
        unseen=FORM_ADDRESS,
    ),
    # A code from the mailbox first, to look as well as to change.
    Page(
        "account_totp",
        "/compte/securite/application/",
        get=led_to("step_up"),
        post=led_to("step_up"),
        unseen="asks a proof first; `test_strong_authentication.py` looks at it",
    ),
    Page(
        "account_codes",
        "/compte/securite/codes/",
        get=led_to("step_up"),
        post=led_to("step_up"),
        unseen="asks a proof first; `test_strong_authentication.py` looks at it",
    ),
    Page(
        "account_key_add",
        "/compte/securite/cles/ajouter/",
        get=led_to("step_up"),
        post=led_to("step_up"),
        unseen="asks a proof first; `test_strong_authentication.py` looks at it",
    ),
    Page(
        "account_key",
        "/compte/securite/cles/{passkey}/",
        get=led_to("step_up"),
        post=led_to("step_up"),
        unseen="asks a proof first; `test_strong_authentication.py` looks at it",
    ),
    Page(
        "account_external",
        "/compte/securite/externe/{sign_in_link}/",
        get=led_to("step_up"),
        post=led_to("step_up"),
        unseen="asks a proof first; `test_external_sign_in.py` looks at it",
    ),
)
