"""Companies and people: who acts for whom, who may do what on which points, and what they ask of the operator."""

from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models.directory import DirectoryGroup, DirectoryPerson, DirectoryToken
from gridgate.organisations.models.eic import EicCode, EicRequest, EicType
from gridgate.organisations.models.invitations import (
    GeneralTerms,
    Invitation,
    InvitationQuerySet,
    InvitationState,
    TermsAcceptance,
)
from gridgate.organisations.models.joining import JoinRequest, JoinRequestState
from gridgate.organisations.models.kyc import KycAttachment, KycForm, KycQuestionnaire
from gridgate.organisations.models.memberships import (
    Entitlement,
    GroupMember,
    Membership,
    MembershipQuerySet,
    PerimeterPoint,
    UserGroup,
    present,
)
from gridgate.organisations.models.organisation import Contract, Organisation
from gridgate.organisations.models.people import Favourite, SignIn, User
from gridgate.organisations.models.prepared_files import PreparedFile
from gridgate.organisations.models.requests import (
    OPEN_STATES,
    TO_TREAT,
    OperatorRequest,
    RequestEvent,
    RequestState,
)
from gridgate.organisations.models.security import (
    AttemptCount,
    LostFactor,
    LostFactorState,
    SecurityPolicy,
    SensitiveAct,
    StepUpCode,
)

__all__ = [
    "OPEN_STATES",
    "TO_TREAT",
    "AttemptCount",
    "Contract",
    "DirectoryGroup",
    "DirectoryPerson",
    "DirectoryToken",
    "EicCode",
    "EicRequest",
    "EicType",
    "Entitlement",
    "EntitlementCode",
    "Favourite",
    "GeneralTerms",
    "GroupMember",
    "Invitation",
    "InvitationQuerySet",
    "InvitationState",
    "JoinRequest",
    "JoinRequestState",
    "KycAttachment",
    "KycForm",
    "KycQuestionnaire",
    "LostFactor",
    "LostFactorState",
    "Membership",
    "MembershipQuerySet",
    "OperatorRequest",
    "Organisation",
    "PerimeterPoint",
    "PreparedFile",
    "RequestEvent",
    "RequestState",
    "SecurityPolicy",
    "SensitiveAct",
    "SignIn",
    "StepUpCode",
    "TermsAcceptance",
    "User",
    "UserGroup",
    "present",
]
