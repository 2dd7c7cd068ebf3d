"""Questions about the catalog with typed answers: over a running server or a stopped folder, whichever `reach` found.

Each is a statement or two over the public views, with what it was given bound to it, and never one statement a row.
"""

from catalog.database.client import Reached, reach
from catalog.queries.analysis import Analysis, advise, analyze
from catalog.queries.delta import Change, compute_version_delta
from catalog.queries.events import list_events
from catalog.queries.exporting import export, new_folder
from catalog.queries.files import File, FileFilter, FileVersion, list_files, list_versions
from catalog.queries.finding import Artifact, Duplicate, find_by_artifact_id, find_duplicates
from catalog.queries.growth import Ahead, Forecast, Growth, get_forecast, get_growth
from catalog.queries.inventory import Inventory, write_inventory
from catalog.queries.lifecycle import Candidate, list_candidates
from catalog.queries.pages import Page
from catalog.queries.points import (
    LatestPoint,
    NamedPoint,
    Point,
    get_point,
    latest_point,
    list_points,
    parse_point,
    set_point,
)
from catalog.queries.profiling import Operator, Profile, profile
from catalog.queries.schema import as_markdown, get_schema
from catalog.queries.stats import VersionStats, get_version_stats
from catalog.queries.usage import DiskUsage, StorageUsage, Usage, get_disk_usage, get_free_bytes, get_storage_usage
from catalog.queries.validations import (
    Validation,
    ValidationSummary,
    get_validation_summary,
    list_validations,
)

__all__ = [
    "Ahead",
    "Analysis",
    "Artifact",
    "Candidate",
    "Change",
    "DiskUsage",
    "Duplicate",
    "File",
    "FileFilter",
    "FileVersion",
    "Forecast",
    "Growth",
    "Inventory",
    "LatestPoint",
    "NamedPoint",
    "Operator",
    "Page",
    "Point",
    "Profile",
    "Reached",
    "StorageUsage",
    "Usage",
    "Validation",
    "ValidationSummary",
    "VersionStats",
    "advise",
    "analyze",
    "as_markdown",
    "compute_version_delta",
    "export",
    "find_by_artifact_id",
    "find_duplicates",
    "get_disk_usage",
    "get_forecast",
    "get_free_bytes",
    "get_growth",
    "get_point",
    "get_schema",
    "get_storage_usage",
    "get_validation_summary",
    "get_version_stats",
    "latest_point",
    "list_candidates",
    "list_events",
    "list_files",
    "list_points",
    "list_validations",
    "list_versions",
    "new_folder",
    "parse_point",
    "profile",
    "reach",
    "set_point",
    "write_inventory",
]
