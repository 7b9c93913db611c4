"""What an import finds, in French; in English the words are the command line's."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from gridgate.metering.imports.findings import Code, Finding, Level
from gridgate.metering.models import RegisterImport
from gridgate.portal.kit import formats
from gridgate.tables.diagnosis import worded
from gridgate.tables.known import HOLDERS, POINTS, Known

FRENCH: dict[Code, tuple[str, str]] = {
    Code.EMPTY_FILE: ("le fichier est vide", "La première ligne nomme les colonnes : {columns}."),
    Code.NOT_TEXT: (
        "c’est un fichier {what}, pas un tableau",
        "Enregistrez-le en classeur (XLSX) ou en « CSV UTF-8 ».",
    ),
    Code.OTHER_ENCODING: (
        "l’octet 0x{byte} n’est pas de l’UTF-8 : le texte semble être en {guess}",
        "Enregistrez le fichier en « CSV UTF-8 ».",
    ),
    Code.IS_PACKED: (
        "c’est un fichier compressé ({what})",
        "Décompressez-le et donnez le fichier qu’il contient.",
    ),
    Code.IS_PDF: ("c’est un PDF", "Demandez les données elles-mêmes, en classeur (XLSX) ou en CSV."),
    Code.IS_HTML: (
        "c’est une page web, quel que soit son nom",
        "Ouvrez-la dans un tableur et enregistrez-la en classeur (XLSX) ; si elle demande de se connecter, "
        "téléchargez de nouveau le fichier.",
    ),
    Code.IS_ODS: (
        "c’est une feuille OpenDocument (ODS)",
        "Enregistrez-la en classeur (XLSX) ou en « CSV UTF-8 ».",
    ),
    Code.IS_XLS: (
        "c’est un ancien classeur (XLS), ou un classeur protégé par un mot de passe",
        "Enregistrez-le en classeur (XLSX) sans mot de passe, ou en « CSV UTF-8 ».",
    ),
    Code.IS_XLSB: (
        "c’est un classeur binaire (XLSB)",
        "Enregistrez-le en classeur (XLSX) ou en « CSV UTF-8 ».",
    ),
    Code.IS_OFFICE: (
        "c’est un document, pas un tableau",
        "Enregistrez son tableau en classeur (XLSX) ou en « CSV UTF-8 ».",
    ),
    Code.IS_MEASUREMENTS: (
        "c’est un fichier de mesures",
        "Les mesures se prennent par la commande gridgate ingest.",
    ),
    Code.IS_POINTS: (
        "c’est un tableau de points de comptage",
        "Importez-le en choisissant « Des points de comptage ».",
    ),
    Code.IS_HOLDERS: ("c’est un tableau de titulaires", "Importez-le en choisissant « Leurs titulaires »."),
    Code.IS_EIC_CODES: (
        "c’est un tableau de codes EIC",
        "Les codes d’un autre bureau s’importent par la commande gridgate eic import.",
    ),
    Code.IS_MAPPING: (
        "c’est un tableau qui dit de quel point est chaque compteur",
        "Il se donne par --map à la commande gridgate ingest, avec les fichiers de mesures.",
    ),
    Code.DAMAGED_WORKBOOK: (
        "le classeur ne peut pas être lu ({why})",
        "Ouvrez-le dans un tableur et enregistrez-le de nouveau en XLSX ; s’il ne s’ouvre pas, téléchargez-le de "
        "nouveau.",
    ),
    Code.LARGE_WORKBOOK: (
        "le classeur dépasse la limite ({most})",
        "Coupez-le, ou enregistrez la feuille en « CSV UTF-8 ».",
    ),
    Code.NO_SHEET: (
        "aucune des feuilles {sheets} n’a les colonnes",
        "Que l’une ait sur sa première ligne : {columns}.",
    ),
    Code.SEVERAL_SHEETS: (
        "les feuilles {sheets} ont toutes les colonnes",
        "N’en gardez qu’une dans le fichier.",
    ),
    Code.CELL_ERROR: (
        "la cellule {cell} contient une erreur",
        "Corrigez sa formule, ou saisissez la valeur.",
    ),
    Code.OTHER_COLUMNS: (
        "le fichier a d’autres colonnes",
        "La première ligne nomme les colonnes : {columns}.",
    ),
    Code.NOT_UTF8: ("l’octet 0x{byte} n’est pas de l’UTF-8", "Enregistrez le fichier en « CSV UTF-8 »."),
    Code.MISSING_COLUMN: ("la colonne manque", "Les colonnes sont {columns}."),
    Code.REPEATED_COLUMN: ("la colonne figure deux fois", "Gardez l’une des deux."),
    Code.UNKNOWN_COLUMN: (
        "cette colonne n’est pas connue ; elle est laissée de côté",
        "Les colonnes sont {columns}.",
    ),
    Code.WRONG_WIDTH: (
        "{found:cellule|cellules}, la première ligne en a {expected}",
        "Mettez entre guillemets une cellule qui contient le séparateur.",
    ),
    Code.BAD_QUOTES: (
        "un guillemet s’ouvre sans se fermer, ou se ferme trop tôt",
        "Doublez les guillemets dans une cellule. Les lignes que le guillemet ouvert avale ne sont pas lues.",
    ),
    Code.DUPLICATE: ("déjà à la ligne {first}", "Gardez l’une des deux lignes."),
    Code.MISSING_VALUE: ("la valeur manque", "Remplissez la cellule."),
    Code.TOO_LONG: ("{found:caractère|caractères}, {limit} au plus", "Raccourcissez."),
    Code.SPREADSHEET_NUMBER: (
        "un tableur a arrondi l’identifiant en nombre",
        "Mettez la colonne au format texte, saisissez de nouveau l’identifiant, exportez.",
    ),
    Code.LOST_ZERO: (
        "il a {found:chiffre|chiffres}, un identifiant en a {expected} ici",
        "S’il commence par un zéro, mettez la colonne au format texte : un tableur l’omet. Sinon, vérifiez chaque "
        "chiffre.",
    ),
    Code.ID_LENGTH: (
        "{found:caractère|caractères} ; un PRM a 14 chiffres, un GSRN 18, un EIC 16 caractères",
        "Vérifiez chaque caractère.",
    ),
    Code.ID_CHARACTERS: ("ni des chiffres, ni un EIC", "Donnez un PRM, un GSRN ou un EIC de type Z."),
    Code.ID_TYPE: ("un EIC de type {found} n’est pas un point de comptage", "Son troisième caractère est Z."),
    Code.CHECK_CHARACTER: ("le dernier caractère devrait être {expected}", "Vérifiez chaque caractère."),
    Code.SIREN_LENGTH: (
        "{found:chiffre|chiffres} ; un SIREN en a 9",
        "D’un SIRET, donnez les 9 premiers chiffres.",
    ),
    Code.SIREN_CHARACTERS: ("un SIREN n’a que des chiffres", "Donnez les 9 chiffres."),
    Code.SIREN_CHECK: ("la clé du SIREN ne convient pas", "Vérifiez chaque chiffre."),
    Code.BAD_CHOICE: ("ce n’est pas l’un de {choices}", "Donnez l’un d’eux."),
    Code.BAD_DIRECTIONS: (
        "ce n’est pas un sens",
        "Donnez withdrawal, injection ou withdrawal+injection (ou W, I, W+I ; soutirage convient).",
    ),
    Code.BAD_POWER: (
        "ce n’est pas une puissance en kVA",
        "Donnez un nombre supérieur à 0, deux décimales au plus, sans unité ; la virgule décimale "
        "demande « ; » entre les cellules.",
    ),
    Code.BAD_DATE: ("cette date n’existe pas", "Écrivez 2026-11-30 ou 30/11/2026."),
    Code.DATE_ORDER: (
        "pas après le premier jour du titre (valid_from), le {valid_from}",
        "Le jour donné (valid_to) est le premier que le titre ne couvre plus.",
    ),
    Code.POSTCODE_ZERO: (
        "4 chiffres, un code postal en a 5 ; importé tel quel",
        "Mettez la colonne au format texte : les tableurs ôtent les zéros de tête.",
    ),
    Code.CHANGED: ("valait {before}", "Rien à faire si c’est voulu."),
    Code.UNKNOWN_POINT: (
        "ce point de comptage n’existe pas ici",
        "Importez d’abord les points, ou vérifiez les chiffres.",
    ),
    Code.NO_NAME: (
        "aucune entreprise n’a ce SIREN ici, et la ligne ne la nomme pas",
        "Donnez le nom de l’entreprise (legal_name).",
    ),
    Code.NAME_KEPT: (
        "connue ici sous le nom {known}, qui est gardé",
        "Rien à faire si c’est la même entreprise.",
    ),
    Code.OVERLAP: (
        "{holder} est titulaire du point du {valid_from} au {valid_to}",
        "Corrigez les dates, ou mettez fin à ce titre par une ligne avec le premier jour qui le suit (valid_to).",
    ),
    Code.OVERLAP_OPEN: (
        "{holder} est titulaire du point depuis le {valid_from}",
        "Corrigez les dates, ou mettez fin à ce titre par une ligne avec le premier jour qui le suit (valid_to).",
    ),
    Code.ENDED_HERE: (
        "ce titre a pris fin ici le {valid_to} ; la ligne le laisse ouvert",
        "Donnez ce jour (valid_to), ou ouvrez un nouveau titre un jour plus tardif.",
    ),
    Code.MOVED: (
        "un changement de titulaire : le titre de {holder}, ouvert depuis le {valid_from}, prend fin le {valid_to}",
        "Rien à faire si c’est voulu.",
    ),
    Code.LABEL_STANDS: (
        "le nom du site, donné du temps du titulaire précédent, est montré à {holder} aussi",
        "S’il n’est pas pour lui, importez le point avec un autre nom de site (label) "
        "à partir du {valid_from} (valid_from).",
    ),
    Code.ENDS_AT_NEXT: (
        "prend fin le {valid_to}, quand {holder} devient titulaire",
        "Rien à faire si c’est voulu.",
    ),
}
_DAYS = ("valid_from", "valid_to")
_TABLES = {RegisterImport.Kind.POINTS: POINTS, RegisterImport.Kind.HOLDERS: HOLDERS}


@dataclass(frozen=True, slots=True)
class Said:
    """A finding as the screen says it. `left_out` is True when the line is not imported."""

    line: int
    column: str
    value: str
    reason: str
    remedy: str
    left_out: bool


def said(findings: Iterable[Finding], *, kind: str) -> list[Said]:
    """What was found in a file of that kind, in the language of the request."""
    table = _TABLES[RegisterImport.Kind(kind)]
    return [_said(_for_people(finding, table)) for finding in findings]


def _for_people(finding: Finding, table: Known) -> Finding:
    """The finding with its columns by the words that people read for them, where the file does not call them itself."""
    language = formats.current_language()
    details = dict(finding.details)
    if "columns" in details:
        details["columns"] = ", ".join(
            table.called(name, language) for name in details["columns"].split(", ")
        )
    refused = finding.level is Level.REFUSED
    column = table.called(finding.column, language) if refused else finding.column
    return replace(finding, column=column, details=details)


def _said(finding: Finding) -> Said:
    return Said(
        line=finding.line,
        column=finding.column,
        value=finding.value,
        reason=_reason(finding),
        remedy=_remedy(finding),
        left_out=finding.level is not Level.NOTE,
    )


def _reason(finding: Finding) -> str:
    if formats.current_language() == "en":
        return finding.reason
    return formats.elided(worded(FRENCH[finding.code][0], _details(finding)))


def _remedy(finding: Finding) -> str:
    if formats.current_language() == "en":
        return finding.remedy
    return worded(FRENCH[finding.code][1], _details(finding))


_FRENCH_WORDS = {"binary": "binaire"}


def _details(finding: Finding) -> dict[str, str]:
    return {
        name: formats.day(date.fromisoformat(value)) if name in _DAYS else _FRENCH_WORDS.get(value, value)
        for name, value in finding.details.items()
    }
