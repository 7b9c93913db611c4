"""The requests, as scripts for wrk."""

from dataclasses import dataclass
from urllib.parse import urlencode

from benchmarks.instance import CHANGED, FOREIGN, OF_A_YEAR, OTHERS, POINTS, TENS, Instance

WEEK, YEAR, TOKENS = "R7 a week, Enedis shape", "R365 a year, native", "T tokens"
TEN_MINUTES, CHANGED_STEP, REFUSED = (
    "R7 a week kept at ten minutes",
    "R7 a week whose step changed",
    "R7 refused",
)
CURVE = "/enedis/metering_data_clc/v5/consumption_load_curve"


@dataclass(frozen=True, slots=True)
class Workload:
    """`app` is a name in `applications`; `script` is Lua; `status` is the answer that each request must have."""

    name: str
    app: str
    script: str
    status: int = 200


def workloads(instance: Instance) -> list[Workload]:
    token = instance.token
    period = f"start={instance.first}&end={instance.end}"
    enedis = f'"{CURVE}?usage_point_id=" .. point() .. "&{period}"'
    native = (
        '"/api/v1/metering-points/" .. point() .. '
        f'"/measurements?kind=load_curve&direction=withdrawal&{period}"'
    )
    tens, changed = (enedis.replace("point()", f"point({after}, {OTHERS})") for after in (TENS, CHANGED))
    year = (
        f'"/api/v1/metering-points/" .. point(0, {OF_A_YEAR}) .. '
        f'"/measurements?kind=load_curve&direction=withdrawal&start={instance.year}&end={instance.end}"'
    )
    foreign = f'"{CURVE}?usage_point_id={FOREIGN}&{period}"'
    form = urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": instance.client_id,
            "client_secret": instance.client_secret,
        }
    )
    return [
        Workload(WEEK, "bare", get(enedis, token)),
        Workload(WEEK, "data_plane", get(enedis, token)),
        Workload(TEN_MINUTES, "data_plane", get(tens, token)),
        Workload(CHANGED_STEP, "data_plane", get(changed, token)),
        Workload("R7 a week, native", "data_plane", get(native, token)),
        Workload(YEAR, "data_plane", get(year, token)),
        Workload(REFUSED, "data_plane", get(foreign, token), 403),
        Workload(TOKENS, "data_plane", post("/enedis/oauth2/v3/token", form)),
    ]


# Each request asks for the next point, so that no answer is repeated while it is in any cache.
_POINT = f"""
local number = math.random(0, {POINTS - 1})
local function point(after, count)
  number = number + 1
  return string.format("%014d", (after or 0) + number % (count or {POINTS}) + 1)
end
"""

# wrk counts answers above 399 together; this tells whether every single one was the expected one.
_COUNT = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) unexpected = 0 end
function response(status) if status ~= EXPECTED then unexpected = unexpected + 1 end end
function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("unexpected") end
  local errors = summary.errors
  io.write(string.format('RESULT {"requests": %d, "microseconds": %d, "unexpected": %d, "lost": %d,'
    .. ' "p50_ms": %.3f, "p99_ms": %.3f}\\n', summary.requests, summary.duration, bad,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


def counted(workload: Workload) -> str:
    """The whole script of a workload."""
    return f"EXPECTED = {workload.status}\n{_COUNT}{workload.script}"


def get(path: str, token: str) -> str:
    return f"""{_POINT}
local headers = {{ ["Authorization"] = "Bearer {token}" }}
function request() return wrk.format("GET", {path}, headers) end
"""


def post(path: str, form: str) -> str:
    return f"""
local headers = {{ ["Content-Type"] = "application/x-www-form-urlencoded" }}
function request() return wrk.format("POST", "{path}", headers, "{form}") end
"""
