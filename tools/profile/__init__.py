"""Profiles: what a release promises, in YAML, and nothing of it hard-wired in cases."""

from tools.profile.claims import CLAIMS, MISSION, Claim
from tools.profile.gateway import Gateway, Scheme
from tools.profile.load import PROFILES, load_profile, profile_names
from tools.profile.model import Profile
from tools.profile.parts import (
    Accelerator,
    Authorization,
    Budgets,
    Controllers,
    FailureMode,
    Isolation,
    Kind,
    Load,
    Mesh,
    Mtls,
    Observability,
    Picker,
    PodSecurity,
    SecretReference,
    Secrets,
    Signoff,
)
from tools.profile.versions import in_range

__all__ = [
    "CLAIMS",
    "MISSION",
    "PROFILES",
    "Accelerator",
    "Authorization",
    "Budgets",
    "Claim",
    "Controllers",
    "FailureMode",
    "Gateway",
    "Isolation",
    "Kind",
    "Load",
    "Mesh",
    "Mtls",
    "Observability",
    "Picker",
    "PodSecurity",
    "Profile",
    "Scheme",
    "SecretReference",
    "Secrets",
    "Signoff",
    "in_range",
    "load_profile",
    "profile_names",
]
