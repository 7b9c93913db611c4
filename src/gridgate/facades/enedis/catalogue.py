"""The error catalogue of Data Connect: HTTP status, code and sentence of each error.

Codes and sentences are those of its error catalogue and Swagger files, to the letter: clients compare them.
Where the catalogue gives two codes for one error, the one that is met in answers of the real service is used.
"""

from typing import Final

from gridgate.core.errors import ErrorKind, GridgateError


class EnedisError(GridgateError):
    """An error of the catalogue: HTTP status, code, sentence."""

    def __init__(self, status: int, code: str, description: str) -> None:
        self.status = status
        self.code = code
        self.description = description
        super().__init__(_KINDS[status], description)


_KINDS: Final = {400: ErrorKind.INVALID, 403: ErrorKind.FORBIDDEN, 404: ErrorKind.NOT_FOUND}


def malformed() -> EnedisError:
    return EnedisError(400, "Invalid_request", "Empty header, bad request format, partial or incorrect data")


def point_required() -> EnedisError:
    return EnedisError(400, "Invalid_request", "usage_point_id parameter is required.")


def point_not_14_digits() -> EnedisError:
    return EnedisError(400, "Invalid_request", "usage_point_id parameter must be 14 digits long.")


def start_required() -> EnedisError:
    return EnedisError(400, "invalid_request", "Start date parameter is required.")


def start_not_a_date() -> EnedisError:
    return EnedisError(400, "invalid_request", "start date parameter must be in the format yyyy-mm-dd.")


def end_required() -> EnedisError:
    return EnedisError(400, "invalid_request", "End date parameter is required.")


def end_not_a_date() -> EnedisError:
    return EnedisError(400, "invalid_request", "end date parameter must be in the format yyyy-mm-dd.")


def start_not_before_end() -> EnedisError:
    # Capital I, unlike the catalogue: so it stands in every recorded answer.
    return EnedisError(400, "Invalid_request", "Start date should be before end date.")


def more_than_7_days() -> EnedisError:
    return EnedisError(
        400, "ADAM-ERR0126", "The requested period must be less than 7 days for an access to the load curve."
    )


def before_history_deadline() -> EnedisError:
    return EnedisError(400, "ADAM-ERR0125", "The start date must be greater than the history deadline.")


def before_activation() -> EnedisError:
    return EnedisError(
        400, "ADAM-ERR0123", "The requested period cannot be anterior to the meter's last activation date"
    )


def wrong_direction() -> EnedisError:
    return EnedisError(400, "ADAM-ERR0069", "Le sens de la mesure ne correspond pas pour le PRM demandé.")


def not_the_holder_then() -> EnedisError:
    return EnedisError(400, "ADAM-ERR0061", "The seeker is not recognized as the actual meter holder")


def collection_opposed() -> EnedisError:
    return EnedisError(400, "ADAM-ERR0075", "The customer objected to the load curve recording")


def no_consent() -> EnedisError:
    return EnedisError(403, "ADAM-DC-0008", "No consent can be found for this customer and this usage point.")


def moved_out() -> EnedisError:
    return EnedisError(403, "ADAM-DC-0007", "The customer is not owner of this usage point.")


def before_consent() -> EnedisError:
    return EnedisError(
        403, "ADAM-DC-0009", "The start date of the request must be greater than the consent start date."
    )


def no_data() -> EnedisError:
    return EnedisError(404, "no_data_found", "no measure found for this usage point")
