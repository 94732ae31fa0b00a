"""Public daily histories from their publishers: fetched politely, checked, kept with their checksums."""

from tomking.adapters.download.cache import Cache, Cached
from tomking.adapters.download.fetch import Waiting, WallWaiting
from tomking.adapters.download.run import Absent, Failed, Fetched, Outcome, Unchanged, download
from tomking.adapters.download.series import GROUPS, SERIES, Published
from tomking.adapters.download.table import Table, read_table

__all__ = [
    "GROUPS",
    "SERIES",
    "Absent",
    "Cache",
    "Cached",
    "Failed",
    "Fetched",
    "Outcome",
    "Published",
    "Table",
    "Unchanged",
    "Waiting",
    "WallWaiting",
    "download",
    "read_table",
]
