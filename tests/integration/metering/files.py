"""CSV files as operators make them."""

POINT_HEADER = "id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on"
HOLDER_HEADER = "metering_point_id,siren,legal_name,valid_from,valid_to"


def points_file(*lines: str, header: str = POINT_HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def holders_file(*lines: str, header: str = HOLDER_HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def point_line(**cells: str) -> str:
    """One line of a points' file, right unless told otherwise."""
    values = {
        "id": "30001480112233",
        "segment": "C4",
        "directions": "withdrawal",
        "address": "12 rue des Forges",
        "postcode": "69200",
        "city": "Vénissieux",
        "subscribed_power_kva": "120",
        "activated_on": "2020-03-01",
    }
    return ",".join((values | cells).values())
